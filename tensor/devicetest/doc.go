// Package devicetest is the conformance suite of devices. Any device runs it:
//
//	func TestConformance(t *testing.T) {
//		d, err := cpu.Open()
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer d.Close()
//		devicetest.Run(t, d, devicetest.Options{})
//	}
//
// It works at the seam: programs go in through [ir.Device], values come back
// and are compared with package ref. Rows of the op table say what is tested
// and how closely; a file holds the tests of a kernel family. Each program
// runs with outputs filled with garbage, with guard bytes behind every buffer,
// and with a check that inputs which no output takes over stay as they were.
//
// Differences that a device may have: numbers below the smallest normal one may
// be flushed to 0, also on the way to a result; the sign of a zero counts only where an op moves it
// (load, neg, abs, where); sin, cos and tan of finite arguments outside their
// row's domain are not compared.
package devicetest
