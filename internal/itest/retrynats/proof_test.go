package retrynats_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrynats"
)

// proof is one run: a server, three workers, a ledger.
type proof struct {
	dir, store, ledger, url string

	state   bool
	server  *process
	workers []*process
	js      jetstream.JetStream

	kills   []int64 // when a process was killed or the server ended, in Unix nanoseconds
	backs   []int64 // when the server was back
	killed  map[int]bool
	serverK bool // the server was killed
}

// Nothing is lost when a worker is killed and the server ends, by its own doing or by SIGKILL.
func TestNothingIsLost(t *testing.T) {
	for _, tt := range []struct {
		name   string
		signal syscall.Signal
		state  bool
	}{
		{"server restarted by TERM", syscall.SIGTERM, true},
		{"server restarted by KILL", syscall.SIGKILL, true},
		{"server restarted by KILL, no State", syscall.SIGKILL, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			p := newProof(t, tt.state)
			p.waitFor(t, jobs/5, p.workers[0])
			p.killWorker(t)
			p.waitFor(t, 3*jobs/5, p.workers[0])
			p.restartServer(t, tt.signal)
			p.drain(t)
			for _, w := range p.workers {
				w.end(t, syscall.SIGTERM)
			}
			p.check(t)
			assert.Less(t, time.Since(start), time.Minute)
		})
	}
}

func newProof(t *testing.T, state bool) *proof {
	t.Helper()
	dir := t.TempDir()
	port := freePort(t)
	p := &proof{
		dir: dir, store: filepath.Join(dir, "store"), ledger: filepath.Join(dir, "ledger"),
		url: "nats://127.0.0.1:" + port, state: state, killed: map[int]bool{},
	}
	p.server = newProcess(dir, "server", role+"=server", "PORT="+port, "STORE="+p.store)
	p.server.start(t)
	p.setUp(t)
	p.publish(t)
	flag := ""
	if state {
		flag = "yes"
	}
	for i := range 3 {
		name := fmt.Sprint("worker", i)
		w := newProcess(dir, name, role+"=worker", "URL="+p.url, "LEDGER="+p.ledger, "WORKER="+name, "STATE="+flag)
		w.start(t)
		p.workers = append(p.workers, w)
	}
	return p
}

// setUp makes the streams, the consumer and the bucket.
func (p *proof) setUp(t *testing.T) {
	t.Helper()
	conn, err := connect(p.url)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	p.js, err = jetstream.New(conn)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.Eventually(t, func() bool {
		_, err = p.js.AccountInfo(ctx)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	for name, subject := range map[string]string{"JOBS": "jobs.>", "DEAD": "dead.>"} {
		_, err = p.js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}})
		require.NoError(t, err)
	}
	_, err = p.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: "state", TTL: time.Hour, LimitMarkerTTL: time.Minute,
	})
	require.NoError(t, err)
	_, err = p.js.CreateConsumer(ctx, "JOBS", jetstream.ConsumerConfig{
		Durable: "workers", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
	})
	require.NoError(t, err)
}

func (p *proof) publish(t *testing.T) {
	t.Helper()
	for i := range jobs {
		job := fmt.Sprint("job", i)
		_, err := p.js.PublishAsync("jobs."+job, []byte(job), jetstream.WithMsgID(job))
		require.NoError(t, err)
	}
	select {
	case <-p.js.PublishAsyncComplete():
	case <-time.After(20 * time.Second):
		t.Fatal("not published")
	}
}

// waitFor waits until so many attempts have ended, and some of them in the worker's process.
func (p *proof) waitFor(t *testing.T, attempts int, w *process) {
	t.Helper()
	require.Eventually(t, func() bool {
		all, own := ended(p.ledger, w.cmd.Process.Pid)
		return all >= attempts && own >= 2*handlers
	}, 30*time.Second, 50*time.Millisecond, "%s", w.output())
}

// killWorker kills one worker and starts it again.
func (p *proof) killWorker(t *testing.T) {
	t.Helper()
	w := p.workers[0]
	p.killed[w.cmd.Process.Pid] = true
	w.end(t, syscall.SIGKILL)
	p.kills = append(p.kills, time.Now().UnixNano())
	w.start(t)
}

func (p *proof) restartServer(t *testing.T, s syscall.Signal) {
	t.Helper()
	p.kills = append(p.kills, time.Now().UnixNano())
	p.server.end(t, s)
	p.serverK = s == syscall.SIGKILL
	p.server.start(t)
	p.backs = append(p.backs, time.Now().UnixNano())
}

// drain waits until the consumer has nothing left.
func (p *proof) drain(t *testing.T) {
	t.Helper()
	looks := 0
	var info *jetstream.ConsumerInfo
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c, err := p.js.Consumer(ctx, "JOBS", "workers")
		if err != nil {
			return false
		}
		if info = c.CachedInfo(); info.NumPending > 0 || info.NumAckPending > 0 {
			looks = 0
			return false
		}
		looks++
		return looks > 5
	}, 50*time.Second, 100*time.Millisecond, "%+v\n%s", info, p.workers[0].output())
}

// letter is a dead letter.
type letter struct {
	attempts int
	reason   string
	err      string
}

// letters returns the dead letters of each job.
func (p *proof) letters(t *testing.T) map[string][]letter {
	t.Helper()
	dead, err := p.js.Stream(t.Context(), "DEAD")
	require.NoError(t, err)
	all := map[string][]letter{}
	for i := range dead.CachedInfo().State.LastSeq {
		msg, err := dead.GetMsg(t.Context(), i+1)
		require.NoError(t, err)
		attempts, err := strconv.Atoi(msg.Header.Get(retrynats.HeaderAttempts))
		require.NoError(t, err)
		job := string(msg.Data)
		assert.Equal(t, "jobs."+job, msg.Header.Get(retrynats.HeaderSubject))
		all[job] = append(all[job], letter{attempts, msg.Header.Get(retrynats.HeaderReason), msg.Header.Get(retrynats.HeaderError)})
	}
	return all
}

// check holds the ledger against what the server has in the end.
func (p *proof) check(t *testing.T) {
	t.Helper()
	all, err := readLedger(p.ledger)
	require.NoError(t, err)
	letters := p.letters(t)
	var c count
	for i := range jobs {
		job := fmt.Sprint("job", i)
		if len(all[job]) == 0 {
			t.Errorf("%s is missing", job)
			continue
		}
		p.checkJob(t, job, all[job], letters[job], &c)
	}
	c.letters = len(letters)
	t.Logf("%+v", c)

	if p.state {
		assert.LessOrEqual(t, c.gaps, 3*handlers, "deliveries that never came to a handler")
		keys, err := p.js.KeyValue(t.Context(), "state")
		require.NoError(t, err)
		list, err := keys.ListKeys(t.Context())
		require.NoError(t, err)
		for key := range list.Keys() {
			c.left++
			_ = key
		}
		assert.LessOrEqual(t, c.left, 4*handlers, "entries of messages that have ended")
	}
	p.noSecret(t)
}

// noSecret looks for the secret in everything that was written.
func (p *proof) noSecret(t *testing.T) {
	t.Helper()
	size := 0
	require.NoError(t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		size += len(data)
		assert.False(t, bytes.Contains(data, []byte(secret)), "%s has the secret", path)
		return err
	}))
	assert.Greater(t, size, 100*jobs)
}
