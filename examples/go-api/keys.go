package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxAge   = 5 * time.Minute  // as the server's Cache-Control says; then a revoked key is forgotten
	cooldown = 30 * time.Second // a kid that is not in the set has it fetched anew, but not more often
)

// keySet is an oidc.KeySet. That of go-oidc keeps a key for ever, and fetches the set anew for every
// token that it cannot verify: a revoked key would stay, and made-up kids would become requests.
type keySet struct {
	url     string
	client  *http.Client
	mu      sync.Mutex
	keys    jose.JSONWebKeySet
	fetched time.Time
}

func newKeySet(url string) *keySet {
	return &keySet{url: url, client: &http.Client{Timeout: 5 * time.Second}}
}

// VerifySignature verifies with the key of the token's kid.
func (s *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	key, err := s.key(headerOf(raw).Kid)
	if err != nil {
		if outcome, ok := ctx.Value(fetchOf{}).(*fetch); ok {
			outcome.failed = err
		}
		return nil, err
	}
	if key == nil {
		return nil, errors.New("unknown kid")
	}
	return signed.Verify(key)
}

// key finds a key, and fetches the set where it must; requests that come meanwhile wait for it.
func (s *keySet) key(kid string) (*jose.JSONWebKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := time.Since(s.fetched)
	if found := s.keys.Key(kid); age < cooldown || (len(found) > 0 && age < maxAge) {
		return first(found), nil
	}
	response, err := s.client.Get(s.url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var keys jose.JSONWebKeySet
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", s.url, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&keys); err != nil {
		return nil, err
	}
	s.keys, s.fetched = keys, time.Now()
	return first(keys.Key(kid)), nil
}

func first(keys []jose.JSONWebKey) *jose.JSONWebKey {
	if len(keys) == 0 {
		return nil
	}
	return &keys[0]
}

// fetch tells the handler that it was the key set that failed, which go-oidc's errors do not.
type fetch struct{ failed error }

type fetchOf struct{}

// headerOf reads a token's header before anything is verified.
func headerOf(raw string) (header struct{ Typ, Kid string }) {
	part, _, _ := strings.Cut(raw, ".")
	if decoded, err := base64.RawURLEncoding.DecodeString(part); err == nil {
		json.Unmarshal(decoded, &header)
	}
	return header
}
