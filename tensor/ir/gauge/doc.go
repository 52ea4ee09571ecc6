// Package gauge measures what a device can do at all: how long the least program takes,
// how fast memory is copied, and how many operations a second its arithmetic makes. With
// these three numbers a roofline is drawn, and the time of a program estimated.
package gauge
