// Package ring keeps the last chunks of text that somebody looked at.
package ring

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

const (
	limit  = 16
	marker = "}) {"
)

var errEmpty = errors.New("ring: nothing is kept (yet)")

// Chunk is a piece of a file.
type Chunk struct {
	Path  string
	Lines []string
	score float64
}

// Ring is not safe for concurrent use.
type Ring struct {
	chunks []Chunk
	seen   map[string]int
}

func New() *Ring {
	return &Ring{
		chunks: make([]Chunk, 0, limit),
		seen:   map[string]int{},
	}
}

func (r *Ring) Add(path string, lines []string) error {
	if len(lines) == 0 {
		return fmt.Errorf("add %q: %w", path, errEmpty)
	}
	for i, old := range r.chunks {
		if similarity(old.Lines, lines) > 0.9 {
			r.chunks = append(r.chunks[:i], r.chunks[i+1:]...)
			break
		}
	}
	if len(r.chunks) >= limit {
		r.chunks = r.chunks[1:]
	}
	r.chunks = append(r.chunks, Chunk{Path: path, Lines: lines})
	r.seen[path]++
	return nil
}

// Best returns the chunks that resemble the text, the best first.
func (r *Ring) Best(text string, count int) []Chunk {
	words := strings.FieldsFunc(text, func(letter rune) bool {
		switch letter {
		case '(', ')', '{', '}', '\'', '"':
			return true
		default:
			return letter <= ' '
		}
	})
	best := make([]Chunk, len(r.chunks))
	copy(best, r.chunks)
	for i := range best {
		best[i].score = similarity(best[i].Lines, words)
	}
	sort.Slice(best, func(a, b int) bool {
		return best[a].score > best[b].score
	})
	if count < len(best) {
		best = best[:count]
	}
	return best
}

func similarity(a, b []string) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	known := make(map[string]bool, len(a))
	for _, line := range a {
		known[strings.TrimSpace(line)] = true
	}
	same := 0
	for _, line := range b {
		if known[strings.TrimSpace(line)] {
			same++
		}
	}
	return 2 * float64(same) / float64(len(a)+len(b))
}

var help = `usage: ring (add | best) {path}
  it's kept in memory (only)
`
