package main

import (
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width  = 15 * vg.Inch
	height = 6.5 * vg.Inch
)

// write puts the panels side by side on the same scale of errors.
func write(panels []panel, path string) (err error) {
	plots := make([]*plot.Plot, len(panels))
	for i, p := range panels {
		if plots[i], err = plotOf(p); err != nil {
			return err
		}
	}
	picture := vgsvg.New(width, height)
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadX: vg.Points(14), PadTop: vg.Points(6), PadBottom: vg.Points(6), PadLeft: vg.Points(6), PadRight: vg.Points(10)}
	for i, canvas := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(picture))[0] {
		plots[i].Draw(canvas)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := picture.WriteTo(f); err != nil {
		return err
	}
	return f.Close()
}

func plotOf(p panel) (*plot.Plot, error) {
	out := plot.New()
	out.Title.Text = p.title
	out.X.Label.Text, out.Y.Label.Text = "model calls", "relative error"
	out.X.Scale, out.Y.Scale = plot.LogScale{}, plot.LogScale{}
	out.X.Tick.Marker, out.Y.Tick.Marker = calls{}, powers{}
	out.X.Min, out.X.Max, out.Y.Min, out.Y.Max = 5, 400, 1e-7, 1
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 225}, color.Gray{Y: 225}
	out.Add(grid)
	out.Legend.Left, out.Legend.Top = true, false
	for i, c := range p.curves {
		xys := make(plotter.XYs, len(c.points))
		for j, point := range c.points {
			xys[j].X, xys[j].Y = float64(point.Calls), point.Error
		}
		line, dots, err := plotter.NewLinePoints(xys)
		if err != nil {
			return nil, err
		}
		line.Color, dots.Color = plotutil.Color(i), plotutil.Color(i)
		line.Dashes, line.Width = plotutil.Dashes(i/7), vg.Points(1.4)
		dots.Shape, dots.Radius = plotutil.Shape(i), vg.Points(2.6)
		out.Add(line, dots)
		out.Legend.Add(c.Name, line, dots)
	}
	return out, nil
}

// powers marks every power of ten, in few characters.
type powers struct{}

func (powers) Ticks(_, _ float64) []plot.Tick {
	var ticks []plot.Tick
	for e := -7; e <= 0; e++ {
		ticks = append(ticks, plot.Tick{Value: math.Pow10(e), Label: fmt.Sprintf("1e%d", e)})
	}
	return ticks
}

// calls marks numbers of model calls as they are.
type calls struct{}

func (calls) Ticks(_, _ float64) []plot.Tick {
	return []plot.Tick{
		{Value: 5, Label: "5"}, {Value: 10, Label: "10"}, {Value: 20, Label: "20"}, {Value: 50, Label: "50"},
		{Value: 100, Label: "100"}, {Value: 200, Label: "200"}, {Value: 400, Label: "400"},
	}
}
