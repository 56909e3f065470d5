package library

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxConnections bounds how often one download is resumed.
	maxConnections = 20
	// maxFailures bounds the connections in a row that bring no byte.
	maxFailures = 3
)

// errIdle ends a connection that brings nothing.
var errIdle = errors.New("server sends nothing")

// permanentError is an answer that asking again would not change.
type permanentError struct{ error }

// resumingReader reads a URL's content and, when the connection breaks, goes
// on from the same byte over a new one.
type resumingReader struct {
	ctx         context.Context // of the one fetch that this reader serves
	client      *http.Client
	url         string
	delay       time.Duration // after the first failure; it doubles
	idle        time.Duration // a connection silent for so long is broken
	progress    func(done, total int64)
	connection  *connection // nil between connections
	connections int
	failures    int // in a row
	offset      int64
	total       int64 // 0 = unknown
	etag        string
}

// connection is one response and the clock that ends it when it stalls.
type connection struct {
	body   io.ReadCloser
	skip   int64 // bytes that were read over earlier connections
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// Read fills p from the current connection or a new one.
func (r *resumingReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := r.readOnce(p)
		if n > 0 {
			r.failures = 0
			r.offset += int64(n)
			r.progress(r.offset, r.total)
			if err != nil && !errors.Is(err, io.EOF) {
				r.disconnect()
			}
			return n, nil
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) && r.connection != nil {
			return 0, io.EOF
		}
		r.disconnect()
		if err := r.giveUp(err); err != nil {
			return 0, err
		}
	}
}

// giveUp counts a failure and returns an error if it was one too many.
func (r *resumingReader) giveUp(err error) error {
	r.failures++
	var permanent permanentError
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case errors.As(err, &permanent), r.failures >= maxFailures, r.connections >= maxConnections:
		return err
	}
	return nil
}

// readOnce reads from the current connection; 0 bytes without an error means
// that there is more.
func (r *resumingReader) readOnce(p []byte) (int, error) {
	if r.connection == nil {
		if err := r.connect(); err != nil {
			return 0, err
		}
	}
	c := r.connection
	if c.skip > 0 {
		p = p[:min(int64(len(p)), c.skip)]
	}
	c.timer.Reset(r.idle)
	n, err := c.body.Read(p)
	c.timer.Stop()
	if err != nil && errors.Is(context.Cause(c.ctx), errIdle) {
		err = errIdle
	}
	if c.skip > 0 {
		c.skip -= int64(n)
		n = 0
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // shorter than it was before
		}
	}
	return n, err
}

func (r *resumingReader) connect() error {
	if err := r.pause(); err != nil {
		return err
	}
	r.connections++
	ctx, cancel := context.WithCancelCause(r.ctx)
	timer := time.AfterFunc(r.idle, func() { cancel(errIdle) })
	resp, skip, err := r.request(ctx)
	timer.Stop()
	if err != nil {
		if errors.Is(context.Cause(ctx), errIdle) {
			err = errIdle
		}
		cancel(nil)
		return err
	}
	r.connection = &connection{resp.Body, skip, ctx, cancel, timer}
	return nil
}

// pause waits after a failure.
func (r *resumingReader) pause() error {
	if r.failures == 0 {
		return nil
	}
	timer := time.NewTimer(r.delay << (r.failures - 1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// request asks for the content from offset on. It returns how many bytes of
// the response to skip, where the server starts from 0 all the same.
func (r *resumingReader) request(ctx context.Context) (*http.Response, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, 0, permanentError{err}
	}
	// Ranges must count the archive's own bytes.
	req.Header.Set("Accept-Encoding", "identity")
	if r.offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.offset))
		if r.etag != "" {
			req.Header.Set("If-Range", r.etag)
		}
	}
	resp, err := r.client.Do(req)
	var failure *url.Error
	if errors.As(err, &failure) {
		err = failure.Err // without the URL, which fills the line
	}
	if err != nil {
		return nil, 0, err
	}
	skip, err := r.accept(resp)
	if err != nil {
		return nil, 0, both(err, resp.Body.Close())
	}
	return resp, skip, nil
}

// accept checks what the response holds and where it starts.
func (r *resumingReader) accept(resp *http.Response) (skip int64, err error) {
	switch {
	case resp.StatusCode == http.StatusPartialContent && r.offset > 0:
		sent := resp.Header.Get("Content-Range")
		if !strings.HasPrefix(sent, fmt.Sprintf("bytes %d-", r.offset)) {
			return 0, permanentError{fmt.Errorf("server sent %q when asked to go on at byte %d", sent, r.offset)}
		}
		return 0, nil
	case resp.StatusCode == http.StatusOK && r.offset == 0:
		r.total = max(resp.ContentLength, 0)
		if etag := resp.Header.Get("ETag"); strings.HasPrefix(etag, `"`) {
			r.etag = etag // a weak one does not vouch for each byte
		}
		return 0, nil
	case resp.StatusCode == http.StatusOK:
		// No ranges here, or another content than before, which the pinned
		// hash will tell.
		return r.offset, nil
	case resp.StatusCode >= http.StatusInternalServerError:
		return 0, fmt.Errorf("server answered %s", resp.Status)
	}
	return 0, permanentError{fmt.Errorf("server answered %s for %s", resp.Status, r.url)}
}

// disconnect ends the current connection, if there is one.
func (r *resumingReader) disconnect() {
	if r.connection == nil {
		return
	}
	r.connection.timer.Stop()
	r.connection.cancel(nil)
	// The content was read or given up already; closing can lose nothing.
	_ = r.connection.body.Close()
	r.connection = nil
}
