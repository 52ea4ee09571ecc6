package tensor

import "slices"

// A signature is what a trace depends on of its arguments, and the dtype of the
// Autocast around the call.
type signature struct {
	cast DType
	args []argument
}

type argument struct {
	dev   *Device
	dtype DType
	shape []int
}

func signatureOf(in []*Tensor) signature {
	s := signature{cast: autocasts.current()}
	for _, t := range in {
		s.args = append(s.args, argument{t.dev, t.dtype, t.shape})
	}
	return s
}

// is reports whether arguments have the signature; a call that does allocates nothing.
func (s *signature) is(in []*Tensor) bool {
	if s.cast != autocasts.current() || len(s.args) != len(in) {
		return false
	}
	for i, t := range in {
		if a := &s.args[i]; a.dev != t.dev || a.dtype != t.dtype || !slices.Equal(a.shape, t.shape) {
			return false
		}
	}
	return true
}
