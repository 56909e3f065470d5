package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ldx/pipeline/ort"
)

// TestWholeTimesteps checks what a graph gets that takes whole timesteps: no
// fraction, but no timestep less for a rounding error either.
func TestWholeTimesteps(t *testing.T) {
	for given, want := range map[float32]int64{946.4: 946, 946.99: 946, 946.9999: 947, 801: 801, 0.99999: 1, 0: 0} {
		for _, kind := range []ort.ElementType{ort.Int64, ort.Int32} {
			got, err := timestepTensor(ort.Info{Name: "timestep", Type: kind, Shape: []int64{-1}}, given, 2)
			if err != nil {
				t.Fatal(err)
			}
			switch data := got.Data().(type) {
			case []int64:
				if !slices.Equal(data, []int64{want, want}) {
					t.Errorf("%g becomes %v, want %d twice", given, data, want)
				}
			case []int32:
				if !slices.Equal(data, []int32{int32(want), int32(want)}) {
					t.Errorf("%g becomes %v, want %d twice", given, data, want)
				}
			default:
				t.Errorf("%g becomes %T", given, data)
			}
		}
	}
}

// TestFixedNumberOfTokens checks that a graph for 77 tokens is not given 154.
func TestFixedNumberOfTokens(t *testing.T) {
	free := ort.Info{Name: "encoder_hidden_states", Type: ort.Float32, Shape: []int64{-1, -1, 768}}
	fixed := ort.Info{Name: "encoder_hidden_states", Type: ort.Float32, Shape: []int64{-1, 77, 768}}
	if err := errors.Join(checkTokens("unet", free, 154), checkTokens("unet", fixed, 77)); err != nil {
		t.Error(err)
	}
	err := checkTokens("unet", fixed, 154)
	if err == nil || !strings.Contains(err.Error(), "unet takes 77 tokens") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v, want one that says unet takes 77 tokens", err)
	}
}
