package record

import "slices"

// Format is the version of the files that this package reads and writes.
const Format = 2

// A File is runs of any machines.
type File struct {
	Format int   `json:"format"`
	Runs   []Run `json:"runs"`
}

// A Run is what one call of the command measured.
type Run struct {
	Header  Header   `json:"header"`
	Devices []Device `json:"devices,omitempty"`
	Results []Result `json:"results"`
	// Figures are derived from the results; they are computed anew when a report is made.
	Figures []Figure `json:"figures,omitempty"`
}

// A Header says what was measured and where.
type Header struct {
	Device     string            `json:"device,omitempty"` // of the command vulkan, with its driver
	Processor  string            `json:"processor"`
	System     string            `json:"system"`
	GOMAXPROCS int               `json:"gomaxprocs"`
	Go         string            `json:"go"`
	Commit     string            `json:"commit"`
	Time       string            `json:"time,omitempty"` // of the start, RFC 3339
	Took       float64           `json:"took,omitempty"` // seconds of the whole run
	Levels     []string          `json:"levels"`
	Passes     int               `json:"passes"`
	Quick      bool              `json:"quick"`
	Peers      map[string]string `json:"peers,omitempty"`   // what they say of themselves
	Missing    map[string]string `json:"missing,omitempty"` // devices that could not be measured, and why
}

// A Device is what results were measured on.
type Device struct {
	ID       string `json:"id"`   // as Result.Device has it: "cpu", "cpu/avx2", "vulkan:0"
	Kind     string `json:"kind"` // the backend: "cpu", "vulkan"
	Model    string `json:"model"`
	Vendor   string `json:"vendor"`
	Driver   string `json:"driver"`
	Software bool   `json:"software"` // a driver that computes on the CPU
	Cores    int    `json:"cores,omitempty"`
	// Lanes are the float32 numbers of one vector instruction of a core, or the
	// invocations of a subgroup; 0 where unknown.
	Lanes  int `json:"lanes,omitempty"`
	Memory int `json:"memory"` // bytes; 0 where unknown
}

// Host reports whether the device is the processor itself, not a driver.
func (d Device) Host() bool { return d.Kind == "cpu" }

// A Result is a measured case. Numbers are over the passes; each is a median
// over the rounds of its pass.
type Result struct {
	Device  string  `json:"device,omitempty"` // the ID of one of the run's devices
	Suite   string  `json:"suite"`
	Group   string  `json:"group,omitempty"`
	Case    string  `json:"case"`
	Op      string  `json:"op,omitempty"`   // what is the same at every size
	Size    float64 `json:"size,omitempty"` // elements, or as the suite says
	Threads int     `json:"threads"`
	Work    float64 `json:"work"`            // units of a call: flops, bytes, or 1 for a step
	Flops   float64 `json:"flops,omitempty"` // floating-point operations of a call
	Bytes   float64 `json:"bytes,omitempty"` // that a call must read and write
	Rounds  int     `json:"rounds"`          // of all passes
	Error   string  `json:"error,omitempty"` // why it was not timed
	Skipped string  `json:"skipped,omitempty"`
	Seconds Stat    `json:"seconds"` // of a call of ours
	// Interval holds the median of a call's seconds over all rounds.
	Interval Interval `json:"interval"`
	OnDevice Stat     `json:"on_device"` // seconds of a call by the device's clock
	Share    Stat     `json:"share"`     // of the peak, at most 1 but for noise
	Waited   Stat     `json:"waited"`    // of our threads' time: part without a processor
	Rivals   []Rival  `json:"rivals,omitempty"`
	// Samples are the seconds of a call in each round of each pass.
	Samples [][]float64 `json:"samples,omitempty"`
}

// A Rival is what a case was compared with.
type Rival struct {
	Name      string `json:"name"`
	RatioName string `json:"ratio_name"`
	Missing   string `json:"missing,omitempty"` // why there are no numbers
	Seconds   Stat   `json:"seconds"`
	Ratio     Stat   `json:"ratio"` // its time to ours: above 1 we are faster
	Share     Stat   `json:"share"`
	// Samples are as those of the result, round by round in turns with them.
	Samples [][]float64 `json:"samples,omitempty"`
}

// A Figure is a number derived from a run's results, for the report and the tables.
type Figure struct {
	Key   string  `json:"key"` // as "vulkan:0/latency"
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // "s", "B/s", "flop/s", "elements", …
}

// ID names a result within its run.
func (r *Result) ID() string {
	id := r.Device + "/" + r.Suite + "/"
	if r.Group != "" {
		id += r.Group + "/"
	}
	id += r.Case
	if r.Threads > 0 {
		id += "/" + digits(r.Threads) + "t"
	}
	return id
}

// Timed reports whether there are numbers.
func (r *Result) Timed() bool { return r.Error == "" && r.Skipped == "" && r.Seconds.N > 0 }

// DeviceOf returns the device of a result, by its ID.
func (r *Run) DeviceOf(id string) *Device {
	i := slices.IndexFunc(r.Devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Devices[i]
}

// Figure returns the value of a derived figure.
func (r *Run) Figure(key string) (float64, bool) {
	for _, f := range r.Figures {
		if f.Key == key {
			return f.Value, true
		}
	}
	return 0, false
}

// Merge joins files. Of runs that are in several it keeps one.
func Merge(files ...*File) *File {
	all := &File{Format: Format}
	seen := map[string]bool{}
	for _, f := range files {
		for _, r := range f.Runs {
			if key := r.key(); !seen[key] {
				seen[key] = true
				all.Runs = append(all.Runs, r)
			}
		}
	}
	return all
}
