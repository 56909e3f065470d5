// Package ort runs ONNX graphs with ONNX Runtime, on tensors of
// gorgonia.org/tensor. It is the only importer of the Go binding; where the
// shared library comes from is package library's concern.
package ort
