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

// proof is one run with a server, three workers and a ledger.
type proof struct {
	dir, store, ledger, url string

	state   bool
	server  *process
	workers []*process
	js      jetstream.JetStream

	// Times are in Unix nanoseconds.
	workerKilled  int64
	serverEnded   int64
	serverBack    int64
	killedWorkers map[int]bool // by process ID
}

// Three workers process 2,000 jobs; 31 % of the attempts fail. A worker is killed and started again,
// and then the server is. No job may be lost. The ledger of the workers must explain how each job
// ended.
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
			p.waitUntilDrained(t)
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
		url: "nats://127.0.0.1:" + port, state: state, killedWorkers: map[int]bool{},
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

// setUp creates the streams, the consumer and the bucket.
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
		t.Fatal("publishing takes more than 20 s")
	}
}

// waitFor waits until the given number of attempts has ended, some of them in the worker's process.
func (p *proof) waitFor(t *testing.T, attempts int, w *process) {
	t.Helper()
	require.Eventually(t, func() bool {
		all, own := ended(p.ledger, w.cmd.Process.Pid)
		return all >= attempts && own >= 2*handlers
	}, 30*time.Second, 50*time.Millisecond, "%s", w.output())
}

// killWorker kills the first worker and starts it again.
func (p *proof) killWorker(t *testing.T) {
	t.Helper()
	w := p.workers[0]
	p.killedWorkers[w.cmd.Process.Pid] = true
	w.end(t, syscall.SIGKILL)
	p.workerKilled = time.Now().UnixNano()
	w.start(t)
}

func (p *proof) restartServer(t *testing.T, s syscall.Signal) {
	t.Helper()
	p.serverEnded = time.Now().UnixNano()
	p.server.end(t, s)
	p.server.start(t)
	p.serverBack = time.Now().UnixNano()
}

// waitUntilDrained waits until the consumer has no messages left.
func (p *proof) waitUntilDrained(t *testing.T) {
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

// deadLetter is a dead letter.
type deadLetter struct {
	attempts int
	reason   string
	err      string
}

// deadLetters returns the dead letters of each job.
func (p *proof) deadLetters(t *testing.T) map[string][]deadLetter {
	t.Helper()
	dead, err := p.js.Stream(t.Context(), "DEAD")
	require.NoError(t, err)
	all := map[string][]deadLetter{}
	for i := range dead.CachedInfo().State.LastSeq {
		msg, err := dead.GetMsg(t.Context(), i+1)
		require.NoError(t, err)
		attempts, err := strconv.Atoi(msg.Header.Get(retrynats.HeaderAttempts))
		require.NoError(t, err)
		job := string(msg.Data)
		assert.Equal(t, "jobs."+job, msg.Header.Get(retrynats.HeaderSubject))
		all[job] = append(all[job], deadLetter{attempts, msg.Header.Get(retrynats.HeaderReason), msg.Header.Get(retrynats.HeaderError)})
	}
	return all
}

// check compares the ledger with what the server has at the end.
func (p *proof) check(t *testing.T) {
	t.Helper()
	all, err := readLedger(p.ledger)
	require.NoError(t, err)
	letters := p.deadLetters(t)
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
		assert.LessOrEqual(t, c.gaps, 3*handlers, "deliveries that came to no handler")
		keys, err := p.js.KeyValue(t.Context(), "state")
		require.NoError(t, err)
		list, err := keys.ListKeys(t.Context())
		require.NoError(t, err)
		for key := range list.Keys() {
			c.left++
			_ = key
		}
		assert.LessOrEqual(t, c.left, 4*handlers, "entries of messages that have ended")
		assert.LessOrEqual(t, p.takenForLost(t), 2*3*handlers, "attempts that the workers took for lost")
	}
	p.noSecret(t)
}

// takenForLost returns how many attempts the workers took for lost. It must be no more than ran, or
// were about to, when a worker was killed and when the server ended.
func (p *proof) takenForLost(t *testing.T) (n int) {
	t.Helper()
	for _, w := range p.workers {
		log, err := os.ReadFile(w.log)
		require.NoError(t, err)
		n += bytes.Count(log, []byte("an attempt was lost"))
	}
	return n
}

// noSecret checks that the secret is in no file that a process has written.
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
