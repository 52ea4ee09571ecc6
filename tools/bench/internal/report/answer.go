package report

import (
	"strings"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// A paragraph is text and figures in turns.
type paragraph []span

// A span is text, or a figure where it has a key.
type span struct{ Text, Key string }

// A writer puts sentences together; a sentence with a figure that is not there is left out.
type writer struct {
	s    *source
	done []paragraph
	now  paragraph
}

// say adds a sentence in which each {key} stands for a figure, and reports whether all
// were there.
func (w *writer) say(text string) bool {
	var l paragraph
	for text != "" {
		before, rest, ok := strings.Cut(text, "{")
		l = append(l, span{Text: before})
		if !ok {
			break
		}
		k, after, _ := strings.Cut(rest, "}")
		f, ok := w.s.fact(k)
		if !ok {
			return false
		}
		l = append(l, span{f.Text, k})
		text = after
	}
	w.now = append(append(w.now, l...), span{Text: " "})
	return true
}

// end ends a paragraph.
func (w *writer) end() {
	if len(w.now) > 0 {
		w.done = append(w.done, w.now)
	}
	w.now = nil
}

// answer says in plain words, with the numbers of the run, why GPUs are used for deep
// learning, and where the processor is the better choice.
func (s *source) answer() []paragraph {
	w := &writer{s: s}
	w.say("Training a network is a small number of operations done to very many numbers: products of matrices, sums, and functions of each element. They do not depend on each other within one operation, so that whoever has more places to compute at once is done sooner.")
	w.end()
	cpu := s.run.DeviceOf(host)
	var drivers, gpus []record.Device
	for _, d := range s.run.Devices {
		switch {
		case d.Host():
		case d.Software:
			drivers = append(drivers, d)
		default:
			gpus = append(gpus, d)
		}
	}
	if cpu != nil {
		w.say("How many lanes? This processor (" + s.run.Header.Processor + ") computes in {cpu/lanes} at once: its cores times the float32 numbers of one vector.")
		w.say("It begins a piece of work within {cpu/submit}, copies memory at {cpu/copy}, and makes up to {cpu/peak}.")
		w.end()
	}
	for _, d := range append(gpus, drivers...) {
		name, id := d.Label(), d.ID
		w.say(name + " needs {" + id + "/submit} to begin a program and wait for it, copies at {" + id + "/copy}, and makes up to {" + id + "/peak}.")
		w.say("Its invocations go in step in groups of {" + id + "/subgroup}.")
		w.say("A kernel that waits for another within a program costs {" + id + "/dispatch}, which is why a training step is handed over as a whole.")
		w.say("Of rows of 256 multiply-add chains it computes {" + id + "/wide} in no more than twice the time of one: less work leaves lanes idle.")
		w.end()
	}
	if cpu != nil && len(gpus)+len(drivers) > 0 {
		w.say("Latency against bandwidth. A processor is built to finish one thing soon, a GPU to finish very many things in a given time. What a device needs to begin is paid once, whatever the size; so small work belongs on the processor, and large work where most lanes are.")
		for _, d := range append(gpus, drivers...) {
			s.sayCrossover(w, d)
		}
		w.end()
	}
	if cpu != nil {
		w.say("Why products matter most: adding two arrays makes one operation for 12 bytes moved, so that memory decides. A product of two matrices of n rows makes about n/6 operations for each byte; above {cpu/ridge} this processor is no longer waiting for its memory.")
		for _, d := range gpus {
			w.say("For " + d.Label() + " that is above {" + d.ID + "/ridge}.")
		}
		w.end()
	}
	switch {
	case len(gpus) == 0 && len(drivers) > 0:
		w.say("No GPU was measured here. " + labels(drivers) + ": Vulkan drivers that compute on the same processor. They take the way of a GPU, with its costs, to the lanes of the processor, so that they show what the way costs, and cannot show what a GPU gains. To see that, run this on a machine with a GPU and join the files with bench merge.")
	case len(gpus) == 0:
		w.say("No GPU was measured here: run this on a machine with one, and join the files with bench merge.")
	}
	w.end()
	return w.done
}

// sayCrossover says from which sizes on a device is faster than the processor.
func (s *source) sayCrossover(w *writer, d record.Device) {
	name, id := d.Label(), d.ID
	matmuls := w.say("Products of matrices are faster on " + name + " from {" + id + "/crossover/matmul/matmul} on, and {" + id + "/gain/matmul/matmul} as fast at the largest size that both did.")
	if !matmuls {
		w.say("On products of matrices the processor is {" + id + "/loss/matmul/matmul} as fast as " + name + " at the largest size that both did.")
	}
	if !w.say("Training steps are faster on it from {" + id + "/crossover/train/step} in a batch on.") {
		w.say("On training steps it is {" + id + "/loss/train/step} as fast, at the largest batch.")
	}
}

// labels lists devices in words.
func labels(l []record.Device) string {
	var names []string
	for _, d := range l {
		names = append(names, d.Label())
	}
	if len(names) > 1 {
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are software"
	}
	return names[0] + " is software"
}
