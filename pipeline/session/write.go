package session

import "ldx/pipeline"

// write writes one line and, before it, the tensors that it speaks of.
func (s *Session) write(l line) error {
	if s.out.log == nil {
		if err := s.out.begin(s.Dir(), s.header); err != nil {
			return err
		}
		s.store.move(s.out.dir, int(s.out.end))
	}
	if l.Do != pipeline.Take {
		return s.writeLine(l)
	}
	id := l.Step.ID()
	if s.store.get(id) != nil {
		l.ID = &id
		return s.writeLine(l)
	}
	return s.writeStep(l)
}

// writeStep writes a step for the first time.
func (s *Session) writeStep(l line) error {
	t, err := l.Step.Tensors()
	if err != nil {
		return err
	}
	k, own, err := s.store.plan(l.Step, t)
	if err != nil {
		return err
	}
	size := 0
	if len(own) > 0 {
		data, err := encodeTensors(k.shape, own)
		if err != nil {
			return err
		}
		if err := s.out.tensors(l.Step.ID(), data); err != nil {
			return err
		}
		size = len(data)
	}
	record := l.Step.Record()
	l.Record, l.Draws, l.Tensors = &record, k.draws, k.refs
	if err := s.writeLine(l); err != nil {
		return err
	}
	s.store.add(k, t, size)
	return nil
}

func (s *Session) writeLine(l line) error {
	n, err := s.out.line(l)
	if err == nil {
		s.store.grow(n)
	}
	return err
}
