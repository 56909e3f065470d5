package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// numberFlag is a flag of a number; the library's own messages name a Go function.
type numberFlag[T int | float64] struct {
	to *T
}

func (n numberFlag[T]) String() string {
	if n.to == nil {
		return ""
	}
	return fmt.Sprint(*n.to)
}

func (n numberFlag[T]) Type() string { return "number" }

func (n numberFlag[T]) Set(text string) error {
	switch to := any(n.to).(type) {
	case *int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("want a whole number")
		}
		*to = v
	case *float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("want a number")
		}
		*to = v
	}
	return nil
}

// parsedFlag is a flag whose text is read by a function.
type parsedFlag[T fmt.Stringer] struct {
	to    *T
	parse func(string) (T, error)
}

func (p parsedFlag[T]) String() string {
	if p.to == nil {
		return ""
	}
	return (*p.to).String()
}

func (p parsedFlag[T]) Type() string { return "text" }

func (p parsedFlag[T]) Set(text string) error {
	v, err := p.parse(text)
	if err == nil {
		*p.to = v
	}
	return err
}

// seedFlag is a seed of 64 bits.
type seedFlag struct{ to *uint64 }

func (s seedFlag) String() string {
	if s.to == nil {
		return ""
	}
	return strconv.FormatUint(*s.to, 10)
}

func (s seedFlag) Type() string { return "seed" }

func (s seedFlag) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("want 0 to 18446744073709551615")
	}
	*s.to = v
	return nil
}

// sizeFlag is WxH in pixels.
type sizeFlag struct{ width, height *int }

func (s sizeFlag) String() string {
	if s.width == nil || *s.width == 0 {
		return ""
	}
	return fmt.Sprintf("%dx%d", *s.width, *s.height)
}

func (s sizeFlag) Type() string { return "WxH" }

func (s sizeFlag) Set(text string) error {
	left, right, ok := strings.Cut(strings.ToLower(text), "x")
	w, errW := strconv.Atoi(left)
	h, errH := strconv.Atoi(right)
	if !ok || errW != nil || errH != nil {
		return fmt.Errorf("want WIDTHxHEIGHT in pixels, for example 128x128")
	}
	*s.width, *s.height = w, h
	return nil
}
