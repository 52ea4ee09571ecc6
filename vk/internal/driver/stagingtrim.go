//go:build cgo

package driver

// TrimStaging frees the memory of staging slots that no transfer uses; the next
// transfer gets it anew. Trim then gives it back to the driver.
func (d *Device) TrimStaging() {
	for _, from := range []chan *slot{d.stage.up, d.stage.down} {
		for range slotCount {
			select {
			case s := <-from:
				if s.mem != nil && d.Done(s.epoch) {
					s.mem.Free()
					s.mem = nil
				}
				from <- s
			default:
			}
		}
	}
}
