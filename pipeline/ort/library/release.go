package library

import (
	"bufio"
	"context"
	"fmt"
)

// releaseURL is the folder of the project's own archives, which hold the npm
// package's files for one platform, unchanged.
const releaseURL = "https://github.com/ldx-project/ldx/releases/download/onnxruntime-" + Version

// releaseName is the archive's name for a platform.
func releaseName(goos, goarch string) string {
	return fmt.Sprintf("ldx-onnxruntime-%s-%s-%s.tar.gz", Version, goos, goarch)
}

// fetchRelease unpacks the project's own archive as it comes in, so only the
// members ever lie on disk.
func (l *locator) fetchRelease(ctx context.Context, b bundle, _, out string) error {
	name := releaseName(l.goos, l.goarch)
	content := &resumingReader{
		ctx: ctx, client: l.client, url: l.releaseURL + "/" + name,
		delay: l.retryDelay, idle: l.idleLimit,
		progress: func(done, total int64) { l.report("downloading "+name, done, total) },
	}
	defer content.disconnect()
	archive := bufio.NewReader(content)
	// A server that cannot be reached is told apart from a broken archive.
	if _, err := archive.Peek(1); err != nil {
		return err
	}
	return extractTarGz(archive, b.members, out)
}
