// Package clip is the tokenizer of the CLIP text encoders: byte-level byte-pair
// encoding with an end-of-word suffix, as Radford et al. published it with CLIP
// (2021) and as CLIPTokenizer of Hugging Face transformers 5.23 computes it.
//
// A prompt passes through five stages: added tokens matched literally, NFC,
// whitespace and case folding, added tokens matched in the folded text,
// splitting into words, and merging each word's bytes. Every stage carries the
// input bytes each character came from, so that a token can be shown where it
// stands in the prompt.
package clip

import (
	"io/fs"
	"slices"
)

// A Token is one token of a prompt.
type Token struct {
	ID   int32  // index into the text encoder's embedding
	Text string // spelling in the vocabulary: bytes as CLIP's printable letters, "</w>" at a word's end

	// Start and End delimit the bytes of the input that the token stands for,
	// rounded out to whole characters: tokens that share a character share its
	// bytes. Over a prompt neither ever decreases.
	Start, End int
}

// An Encoding is a prompt as a text encoder reads it.
type Encoding struct {
	IDs       []int32 // MaxLength IDs: beginning of sequence, tokens, end of sequence, padding
	Tokens    []Token // every token of the prompt, those that did not fit included, markers and padding left out
	Truncated int     // how many of Tokens IDs has no room for
	First     int     // the first of Tokens that IDs has, where some are left out
}

// A Tokenizer turns prompts into token IDs. It never changes after Open and may
// be used by several goroutines at once.
type Tokenizer struct {
	bpe     *model
	literal matcher // added tokens looked for in the prompt as typed
	folded  matcher // added tokens looked for after normalisation

	maxLength     int
	bos, eos, pad int32
	padLeft       bool // padding_side: left
	truncateLeft  bool // truncation_side: left
}

// Open reads the tokenizer in folder dir of fsys: vocab.json and merges.txt, or
// tokenizer.json, which goes before both where present; tokenizer_config.json,
// special_tokens_map.json and added_tokens.json where present. As in
// transformers the last two, and tokenizer.json's added tokens, count only if
// tokenizer_config.json has no added_tokens_decoder. An error names the file.
func Open(fsys fs.FS, dir string) (*Tokenizer, error) {
	folder := folder{fsys, dir}
	vocab, extra, err := folder.vocabulary()
	if err != nil {
		return nil, err
	}
	settings, listed, err := folder.settings(extra)
	if err != nil {
		return nil, err
	}
	return assemble(settings, vocab, listed)
}

// MaxLength returns the length of Encoding.IDs: model_max_length of
// tokenizer_config.json, or 77 where that is absent or stands for "unlimited".
func (t *Tokenizer) MaxLength() int { return t.maxLength }

// Encode returns the encoding of text. Any string will do: a byte that is not
// part of valid UTF-8 reads as U+FFFD, as it does in a Go range loop.
func (t *Tokenizer) Encode(text string) Encoding {
	tokens := t.tokenize(decode(text))
	fit := t.maxLength - 2
	first := 0
	if t.truncateLeft {
		first = max(0, len(tokens)-fit)
	}
	kept := tokens[first:min(first+fit, len(tokens))]
	return Encoding{IDs: t.frame(kept), Tokens: tokens, Truncated: len(tokens) - len(kept), First: first}
}

// tokenize returns the tokens of text without markers.
func (t *Tokenizer) tokenize(text []char) []Token {
	out := make([]Token, 0, len(text)/4+4)
	merger := merger{model: t.bpe}
	t.literal.split(text, func(part []char, id int32) {
		if id >= 0 {
			out = append(out, t.bpe.token(id, part))
			return
		}
		t.folded.split(normalize(part), func(part []char, id int32) {
			if id >= 0 {
				out = append(out, t.bpe.token(id, part))
				return
			}
			for word := range words(part) {
				out = merger.appendTokens(out, word)
			}
		})
	})
	return slices.Clip(out)
}

// Frame puts at most MaxLength()-2 tokens between the sequence markers and pads to
// MaxLength IDs, as Encode does; the first of tokens is IDs[first].
func (t *Tokenizer) Frame(tokens []Token) (ids []int32, first int) {
	if t.padLeft {
		first = t.maxLength - 2 - len(tokens)
	}
	return t.frame(tokens), first + 1
}

// frame puts tokens between the sequence markers and pads to the full length.
func (t *Tokenizer) frame(tokens []Token) []int32 {
	ids := make([]int32, 0, t.maxLength)
	padding := slices.Repeat([]int32{t.pad}, t.maxLength-2-len(tokens))
	if t.padLeft {
		ids = append(ids, padding...)
	}
	ids = append(ids, t.bos)
	for _, token := range tokens {
		ids = append(ids, token.ID)
	}
	ids = append(ids, t.eos)
	if !t.padLeft {
		ids = append(ids, padding...)
	}
	return ids
}

// assemble joins what the files say into a tokenizer.
func assemble(s settings, vocab *vocabulary, listed []serialToken) (*Tokenizer, error) {
	config, err := newConfig(s, listed)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"bos_token", "eos_token", "pad_token"} {
		marker := config.named[key]
		if _, ok := vocab.ids[marker]; !ok && !contains(listed, marker) {
			return nil, s.fault(key, "%q is not in %s; want one of its entries", marker, vocab.file)
		}
	}
	bpe, err := newModel(vocab, config.named["unk_token"]) // before tokens are added that no merge makes
	if err != nil {
		return nil, s.folder.fault(vocab.file, "%w", err)
	}
	if err := vocab.add(config.added); err != nil {
		return nil, s.folder.fault(vocab.file, "%w", err)
	}
	t := &Tokenizer{
		bpe:          bpe,
		maxLength:    config.maxLength,
		bos:          vocab.ids[config.named["bos_token"]],
		eos:          vocab.ids[config.named["eos_token"]],
		pad:          vocab.ids[config.named["pad_token"]],
		padLeft:      config.padLeft,
		truncateLeft: config.truncateLeft,
	}
	t.literal, t.folded = matchers(config.added, vocab.ids)
	return t, nil
}
