package samplers

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Config is a model's scheduler_config.json as diffusers writes it. It keeps the
// keys as they were read, also those this package does not know: which value an
// absent key has depends on the class that asks (diffusers' from_config).
// The zero Config has no keys and so every class's own defaults.
type Config struct {
	class string
	keys  map[string]json.RawMessage
}

// ParseConfig reads a scheduler_config.json. Values are checked when a [Plan] is
// made from them, since only then is it known which ones matter.
func ParseConfig(data []byte) (Config, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return Config{}, fmt.Errorf("scheduler config is not a JSON object: %w", err)
	}
	c := Config{keys: keys}
	if raw, ok := keys["_class_name"]; ok {
		if err := json.Unmarshal(raw, &c.class); err != nil {
			return Config{}, fmt.Errorf("scheduler config: _class_name is %s, want a string", raw)
		}
	}
	return c, nil
}

// Class is the scheduler class the config was written for, for example
// "DDIMScheduler"; the Flax prefix of older folders is left out. Empty when the
// config names none.
func (c Config) Class() string { return strings.TrimPrefix(c.class, "Flax") }

// With returns a copy in which key has the given value.
func (c Config) With(key string, value any) (Config, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return Config{}, fmt.Errorf("scheduler config: %s: %w", key, err)
	}
	keys := maps.Clone(c.keys)
	if keys == nil {
		keys = map[string]json.RawMessage{}
	}
	keys[key] = raw
	return Config{class: c.class, keys: keys}, nil
}

// MarshalJSON writes every key that was read, known or not.
func (c Config) MarshalJSON() ([]byte, error) {
	if c.keys == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(c.keys)
}

// UnmarshalJSON is [ParseConfig].
func (c *Config) UnmarshalJSON(data []byte) error {
	parsed, err := ParseConfig(data)
	if err == nil {
		*c = parsed
	}
	return err
}

// decode lays the config's keys over the defaults that into holds.
func (c Config) decode(into any) error {
	data, err := c.MarshalJSON()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("scheduler config: %w", err)
	}
	return nil
}

// scheduleParams are the keys that fix the noise schedule.
type scheduleParams struct {
	NumTrainTimesteps   int       `json:"num_train_timesteps"`
	BetaStart           float64   `json:"beta_start"`
	BetaEnd             float64   `json:"beta_end"`
	BetaSchedule        string    `json:"beta_schedule"`
	TrainedBetas        []float64 `json:"trained_betas"`
	RescaleBetasZeroSNR bool      `json:"rescale_betas_zero_snr"`
	boundZeroSNR        bool      // keep the last alpha-bar off 0
}

// spacingParams are the keys that choose timesteps.
type spacingParams struct {
	TimestepSpacing Spacing `json:"timestep_spacing"`
	StepsOffset     int     `json:"steps_offset"`
	given           []int   // by the request, one by one; nil without
	from            float64 // the timestep to start from; 0 is the last
}

// clipParams are the keys that bound the predicted original sample.
type clipParams struct {
	ClipSample            bool    `json:"clip_sample"`
	ClipSampleRange       float64 `json:"clip_sample_range"`
	Thresholding          bool    `json:"thresholding"`
	DynamicThresholdingP  float64 `json:"dynamic_thresholding_ratio"`
	ThresholdingSampleMax float64 `json:"sample_max_value"`
}

// maxTrainTimesteps bounds the tables a config can ask for.
const maxTrainTimesteps = 1_000_000

func (p scheduleParams) check() error {
	switch {
	case p.NumTrainTimesteps < 1 || p.NumTrainTimesteps > maxTrainTimesteps:
		return fmt.Errorf("scheduler config: num_train_timesteps is %d, want 1 to %d", p.NumTrainTimesteps, maxTrainTimesteps)
	case p.TrainedBetas != nil && len(p.TrainedBetas) != p.NumTrainTimesteps:
		return fmt.Errorf("scheduler config: trained_betas has %d entries, want num_train_timesteps = %d", len(p.TrainedBetas), p.NumTrainTimesteps)
	}
	return nil
}
