// Govet verifies a log over HTTP with nothing of ours: the tree and the notes
// are those of golang.org/x/mod/sumdb, as Debian packages it.
//
//	govet BASE-URL VERIFIER-KEY [TOKEN]
//
// It fetches the checkpoint, every entry bundle and every hash tile (C2SP
// tlog-tiles), and exits with status 1 unless the key signed the checkpoint
// and all of them belong to its root.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile: 256 hashes

var client = http.Client{Timeout: time.Minute}

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: govet BASE-URL VERIFIER-KEY [TOKEN]")
		os.Exit(2)
	}
	token := ""
	if len(os.Args) == 4 {
		token = os.Args[3]
	}
	tree, err := verify(strings.TrimSuffix(os.Args[1], "/")+"/log/", os.Args[2], token)
	if err != nil {
		fmt.Println("REJECTED:", err)
		os.Exit(1)
	}
	fmt.Printf("ACCEPTED: %d entries, root %v\n", tree.N, tree.Hash)
}

func verify(base, vkey, token string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	msg, err := get(base+"checkpoint", "")
	if err != nil {
		return tree, err
	}
	signed, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	if tree, err = parseCheckpoint(signed.Text, verifier.Name()); err != nil {
		return tree, err
	}
	stored, err := readEntries(base, token, tree.N)
	if err != nil {
		return tree, err
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil {
		return tree, err
	}
	if root != tree.Hash {
		return tree, fmt.Errorf("the entries give the root %v, signed is %v", root, tree.Hash)
	}
	return tree, checkTiles(base, tree.N, stored)
}

func parseCheckpoint(text, origin string) (tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		return tree, errors.New("not a checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	if strconv.FormatInt(tree.N, 10) != lines[1] || tree.N < 0 {
		return tree, errors.New("the size is spelt otherwise")
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// hashes holds the hashes of a whole tree by their storage index.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(h)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		found[i] = h[index]
	}
	return found, nil
}

func readEntries(base, token string, size int64) (stored hashes, err error) {
	for start := int64(0); start < size; start += 1 << height {
		width := size - start
		if width > 1<<height {
			width = 1 << height
		}
		path := tilePath(tlog.Tile{H: height, L: -1, N: start >> height, W: int(width)})
		data, err := get(base+path, token)
		if err != nil {
			return nil, err
		}
		for index := start; index < start+width; index++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s ends within entry %d", path, index)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			more, err := tlog.StoredHashes(index, data[2:end], stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, more...)
			data = data[end:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("%s goes on after its last entry", path)
		}
	}
	return stored, nil
}

func checkTiles(base string, size int64, stored hashes) error {
	for _, tile := range tlog.NewTiles(height, 0, size) {
		want, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return err
		}
		path := tilePath(tile)
		got, err := get(base+path, "")
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s is not what the entries give", path)
		}
	}
	return nil
}

// tilePath differs from tlog's in two places: no height, and "entries" for "data".
func tilePath(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func get(url, token string) ([]byte, error) {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}
