package cpu_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// levels returns the levels to test. The race detector sees no assembly, so that one
// level which has it and the one without are enough for it.
func levels() []string {
	l := cpu.Levels()
	if race && len(l) > 2 {
		return []string{l[0], l[len(l)-1]}
	}
	return l
}

// eachLevel runs f as a subtest for every level of this processor.
func eachLevel(t *testing.T, f func(t *testing.T, level string)) {
	for _, l := range levels() {
		t.Run(l, func(t *testing.T) { f(t, l) })
	}
}

func TestLevels(t *testing.T) {
	l := cpu.Levels()
	require.Equal(t, "portable", l[len(l)-1])
	for _, name := range l {
		d := cpu.New(cpu.Options{Level: name})
		require.True(t, strings.HasSuffix(d.Info().Driver, " "+name), d.Info().Driver)
		require.NoError(t, d.Close())
	}
	require.PanicsWithError(t, `cpu: no level "mmx" here; there are: `+strings.Join(l, ", "), func() { cpu.New(cpu.Options{Level: "mmx"}) })
}

// The environment chooses the level; one that is not there is an error of Open,
// and New says that it goes without.
func TestLevelVariable(t *testing.T) {
	if os.Getenv("FORNAX_TEST_LEVEL") != "" {
		for _, b := range ir.Backends() {
			if b.Name() != "cpu" {
				continue
			}
			if _, err := b.Open(0); err != nil {
				os.Stdout.WriteString("open: " + err.Error() + "\n")
			}
			infos, err := b.Devices()
			require.NoError(t, err)
			os.Stdout.WriteString("devices: " + infos[0].Driver + "\n")
		}
		d := cpu.New(cpu.Options{})
		os.Stdout.WriteString("driver: " + d.Info().Driver + "\n")
		return
	}
	for _, name := range append(cpu.Levels(), "mmx") {
		c := exec.Command(os.Args[0], "-test.run=^TestLevelVariable$")
		c.Env = append(os.Environ(), "FORNAX_TEST_LEVEL=1", "FORNAX_CPU_LEVEL="+name)
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		if name == "mmx" {
			require.Contains(t, string(out), `open: FORNAX_CPU_LEVEL: cpu: no level "mmx" here`)
			require.Contains(t, string(out), `fornax: FORNAX_CPU_LEVEL: cpu: no level "mmx" here`)
			require.Contains(t, string(out), "; using "+cpu.Levels()[0])
			continue
		}
		require.Regexp(t, `driver: .* `+name, string(out))
		require.Regexp(t, `devices: .* `+name, string(out))
		require.NotContains(t, string(out), "open:")
	}
}
