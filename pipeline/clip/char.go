package clip

// A char is one character on its way through the stages, with the bytes
// [start, end) of the input that it came from.
type char struct {
	r          rune
	start, end int
}

// decode splits text into its characters.
func decode(text string) []char {
	chars := make([]char, 0, len(text))
	for i, r := range text {
		if n := len(chars); n > 0 {
			chars[n-1].end = i
		}
		chars = append(chars, char{r: r, start: i, end: len(text)})
	}
	return chars
}

// span returns the input bytes that chars, which must not be empty, came from.
func span(chars []char) (start, end int) {
	return chars[0].start, chars[len(chars)-1].end
}
