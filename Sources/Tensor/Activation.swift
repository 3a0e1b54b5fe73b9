// The layers above name activations and nothing else of the kernels.
@_exported import enum Kernels.Activation
