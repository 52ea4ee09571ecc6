//go:build cgo && race

package vk_test

const raceDetector = true
