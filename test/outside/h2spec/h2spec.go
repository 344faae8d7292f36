//go:build tools

// Package h2spec names the program that the test builds, so that go.mod and go.sum pin it and all that it needs.
package h2spec

import _ "github.com/summerwind/h2spec/cmd/h2spec"
