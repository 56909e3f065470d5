package termimg

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// pixelFiles hands pictures to a terminal on this machine in files, which it reads
// and removes: a hundredth of the bytes on the line, and no decoding of base64. A
// terminal removes a file only with this mark in its name.
type pixelFiles struct {
	mu   sync.Mutex
	left []string // files that may be there yet, oldest first
}

const fileMark = "tty-graphics-protocol"

// maxFiles is how many files may wait for the terminal; it should have read and
// removed all but the last long before.
const maxFiles = 4 * idsPerSurface

// sharedMemory is a folder that never touches a disk, where there is one.
const sharedMemory = "/dev/shm"

// write puts pixels into a file and returns its path.
func (f *pixelFiles) write(pixels []byte) (path string, err error) {
	dir := sharedMemory
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = "" // the system's
	}
	file, err := os.CreateTemp(dir, "ldx-*-"+fileMark)
	if err != nil {
		return "", err //nolint:wrapcheck // never shown: the pixels go another way
	}
	f.keep(file.Name())
	_, err = file.Write(pixels)
	if err = errors.Join(err, file.Close()); err != nil {
		f.remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

// keep notes a file, and removes the oldest if the terminal has left too many.
func (f *pixelFiles) keep(path string) {
	f.mu.Lock()
	f.left = append(f.left, path)
	oldest := f.left[0]
	many := len(f.left) > maxFiles
	f.mu.Unlock()
	if many {
		f.remove(oldest)
	}
}

// remove removes a file, unless the terminal has.
func (f *pixelFiles) remove(path string) {
	f.mu.Lock()
	f.left = slices.DeleteFunc(f.left, func(p string) bool { return p == path })
	f.mu.Unlock()
	_ = os.Remove(path) // it is gone where all went well
}

// readTime is how long a terminal is given, at the end, to read and remove the files
// that it has been told of.
const readTime = 500 * time.Millisecond

// clear removes what the terminal leaves. What it was told last may wait in the line
// still: it would look for a file that is gone.
func (f *pixelFiles) clear() {
	f.mu.Lock()
	left := slices.Clone(f.left)
	f.mu.Unlock()
	for end := time.Now().Add(readTime); time.Now().Before(end); time.Sleep(readTime / 100) {
		if !slices.ContainsFunc(left, exists) {
			break
		}
	}
	for _, path := range left {
		f.remove(path)
	}
}

// exists says whether a file is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fileQueryID names the picture of the question whether the terminal reads files.
const fileQueryID = kittyQueryID - 1

// offerFiles asks a terminal that takes kitty's pictures whether it reads files of
// ours, once. The caller holds the lock.
func (c *Compositor) offerFiles() {
	first := !slices.Contains(c.probe.asked, askFiles)
	if c.mode.protocol == Kitty && !c.mode.passthrough && c.probe.kitty && first {
		c.probe.asked = append(c.probe.asked, askFiles)
		go c.askFiles()
	}
}

// askFiles asks the terminal to read a file: one on another machine cannot.
func (c *Compositor) askFiles() {
	path, err := c.files.write(make([]byte, 3))
	if err != nil {
		return // then it goes without
	}
	question := kitty{}.escape(nil, fmt.Sprintf("a=q,t=t,i=%d,s=1,v=1,f=24", fileQueryID), base64.StdEncoding.AppendEncode(nil, []byte(path)))
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped() && !c.away {
		c.out.queue(question)
	}
}
