package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"ldx/pipeline/clip"
	"ldx/pipeline/ort"
)

// LoadOptions say how a folder is loaded.
type LoadOptions struct {
	Device  string // auto or cpu
	Threads int    // 0 = one a core
	// GraphCache is a folder that keeps optimised graphs between starts, "" for none.
	GraphCache string
}

// CheckDevice reports whether a device can be asked for, with those that can.
func CheckDevice(device string) error {
	if device == "auto" || device == "cpu" {
		return nil
	}
	return fmt.Errorf("device %q is not supported, want auto or cpu", device)
}

// Load makes a model of a folder. The graphs are loaded side by side; the decoder
// is waited for only when it is first needed. When ctx ends, Load returns at once
// and frees what was loaded as it arrives.
func Load(ctx context.Context, rt *ort.Runtime, f Folder, o LoadOptions) (*Model, error) {
	start := time.Now()
	if err := CheckDevice(o.Device); err != nil {
		return nil, err
	}
	if missing := f.Missing(); len(missing) > 0 {
		return nil, fmt.Errorf("model %s has no %s", f.Name, missing[0])
	}
	info, err := ReadInfo(f)
	if err != nil {
		return nil, err
	}
	l := &loader{runtime: rt, folder: f, options: ort.Options{Threads: o.Threads, GraphCache: o.GraphCache}}
	loaded := make(chan error, 1)
	go func() { loaded <- l.load(&info) }()
	select {
	case err = <-loaded:
	case <-ctx.Done():
		go l.discard(loaded)
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	m := NewModel(info, Runners{Text: l.text, Denoiser: l.denoiser, Decoder: l.decoder, Encoder: l.pictures(), Device: deviceName(o), Close: l.close})
	m.loading = time.Since(start)
	return m, nil
}

func deviceName(o LoadOptions) string {
	if o.Threads == 0 {
		return "cpu"
	}
	if o.Threads == 1 {
		return "cpu, 1 thread"
	}
	return fmt.Sprintf("cpu, %d threads", o.Threads)
}

// loader gathers the runners of a folder.
type loader struct {
	runtime  *ort.Runtime
	folder   Folder
	options  ort.Options
	text     *clipEncoder
	denoiser *unet
	decoder  *vaeDecoder
	encoder  *vaeEncoder // nil where the folder has none
}

// pictures is the encoder as Runners take it.
func (l *loader) pictures() Encoder {
	if l.encoder == nil {
		return nil
	}
	return l.encoder
}

func (l *loader) load(info *Info) error {
	l.decoder = newVAEDecoder(info.Latent, func() (*ort.Session, error) { return l.session(decoderPart) })
	if info.Encodes {
		l.encoder = &vaeEncoder{load: func() (*ort.Session, error) { return l.session(encoderPart) }}
	}
	var group errgroup.Group
	group.Go(func() (err error) { l.text, err = l.loadText(); return err })
	group.Go(func() (err error) { l.denoiser, err = l.loadUNet(info); return err })
	group.Go(func() error { return l.checkDecoder(info.Latent) })
	if err := group.Wait(); err != nil {
		return err
	}
	return l.agree()
}

func (l *loader) checkDecoder(geometry Geometry) error {
	g, err := l.folder.graph(decoderPart)
	if err != nil {
		return fmt.Errorf("%s: %w", g.Name, err)
	}
	inputs, _, err := ort.Describe(g)
	if err != nil {
		return err
	}
	return checkDecoder(geometry, g.Name, inputs)
}

func (l *loader) session(part string) (*ort.Session, error) {
	g, err := l.folder.graph(part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	options := l.options
	options.Spin = part == unetPart // the one that runs in a loop
	return l.runtime.Load(g, options)
}

func (l *loader) loadText() (*clipEncoder, error) {
	tokenizer, err := clip.Open(l.folder.FS, tokenizerPart)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", l.folder.Name, err)
	}
	session, err := l.session(textEncoderPart)
	if err != nil {
		return nil, err
	}
	return newCLIPEncoder(tokenizer, session)
}

func (l *loader) loadUNet(info *Info) (*unet, error) {
	session, err := l.session(unetPart)
	if err != nil {
		return nil, err
	}
	return newUNet(session, info.Latent)
}

// agree checks that the text encoder's width is the one the UNet attends to.
func (l *loader) agree() error {
	have, want := l.text.width(), l.denoiser.textWidth()
	if have > 0 && want > 0 && have != want {
		return fmt.Errorf("%s gives embeddings of width %d, but %s wants %d", l.text.session.Name(), have, l.denoiser.session.Name(), want)
	}
	return nil
}

// discard frees what nobody waits for any more, once it has arrived.
func (l *loader) discard(loaded <-chan error) {
	_ = errors.Join(<-loaded, l.close()) // there is nobody left to tell
}

func (l *loader) close() error {
	var errs []error
	if l.text != nil {
		errs = append(errs, l.text.session.Close())
	}
	if l.denoiser != nil {
		errs = append(errs, l.denoiser.session.Close())
	}
	if l.decoder != nil {
		errs = append(errs, l.decoder.close())
	}
	if l.encoder != nil {
		errs = append(errs, l.encoder.close())
	}
	return errors.Join(errs...)
}
