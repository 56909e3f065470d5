package pick

import (
	"strings"

	"github.com/sahilm/fuzzy"
)

// Fuzzy finds texts that have the query's characters in this order, with what is
// between them: for short texts, as names.
func Fuzzy(query string, texts []string) []int {
	var found []int
	for _, match := range fuzzy.Find(query, texts) {
		found = append(found, match.Index)
	}
	return found
}

// Words finds texts that have every word of the query, in any case, and leaves their
// order: for long texts, in which the characters of most queries would be found.
func Words(query string, texts []string) []int {
	words := strings.Fields(strings.ToLower(query))
	var found []int
	for i, text := range texts {
		if hasAll(strings.ToLower(text), words) {
			found = append(found, i)
		}
	}
	return found
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
