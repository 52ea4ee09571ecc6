package lower

// MaxBuffers is the number of buffers that the shaders can name.
const MaxBuffers = 16
