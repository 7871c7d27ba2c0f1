// One end of smux or yamux sessions over TCP or KCP, made of the libraries that GOST uses.
//
//	-role client        connects to a SOCKS5 server that listens in such sessions, and loads it
//	-role server        is such a server
//	-role mbind-client  asks a SOCKS5 server for a port (MBIND), and echoes what comes from its peers
//	-role mbind-server  is a SOCKS5 server that offers ports
package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	kcp "github.com/xtaci/kcp-go"
	"github.com/xtaci/smux"
	"golang.org/x/crypto/pbkdf2"
)

var (
	proto    = flag.String("proto", "smux", "smux or yamux")
	version  = flag.Int("version", 1, "of smux")
	role     = flag.String("role", "client", "client, server, mbind-client or mbind-server")
	carrier  = flag.String("carrier", "tcp", "client and server: tcp or kcp (aes, FEC 10 and 3, no compression)")
	key      = flag.String("key", "", "of kcp")
	listen   = flag.String("listen", "127.0.0.1:0", "servers: where")
	connect  = flag.String("connect", "", "clients: the SOCKS5 server")
	target   = flag.String("target", "", "client: a target that echoes")
	streams  = flag.Int("streams", 1, "client: how many at once")
	size     = flag.Int("bytes", 1000, "client: at most so many on each stream")
	exact    = flag.Bool("exact", false, "client: exactly so many")
	early    = flag.Int("early", 0, "client: percentage of streams that are closed in the middle")
	push     = flag.String("push", "", "client: a target that reads nothing, to which -stalled streams write without end")
	pull     = flag.String("pull", "", "client: a target that writes without end, of which -stalled streams read nothing")
	stalled  = flag.Int("stalled", 1, "client: how many streams to push and to pull")
	unread   = flag.Int("unread", 0, "mbind-client: of so many first peers nothing is read")
	rounds   = flag.Int("rounds", 1, "client: how often all streams are opened, on the same session")
	deadline = flag.Duration("deadline", 60*time.Second, "client: for everything")
)

type session interface {
	open() (net.Conn, error)
	accept() (net.Conn, error)
}

type smuxSession struct{ *smux.Session }

func (s smuxSession) open() (net.Conn, error)   { return s.OpenStream() }
func (s smuxSession) accept() (net.Conn, error) { return s.AcceptStream() }

type yamuxSession struct{ *yamux.Session }

func (s yamuxSession) open() (net.Conn, error)   { return s.Open() }
func (s yamuxSession) accept() (net.Conn, error) { return s.Accept() }

func newSession(conn net.Conn, client bool) session {
	if *proto == "yamux" {
		begin := yamux.Server
		if client {
			begin = yamux.Client
		}
		s, err := begin(conn, yamux.DefaultConfig())
		must(err)
		return yamuxSession{s}
	}
	config := smux.DefaultConfig()
	config.Version = *version
	begin := smux.Server
	if client {
		begin = smux.Client
	}
	s, err := begin(conn, config)
	must(err)
	return smuxSession{s}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// --- what carries the sessions ---

func block() kcp.BlockCrypt {
	cipher, err := kcp.NewAESBlockCrypt(pbkdf2.Key([]byte(*key), []byte("kcp-go"), 4096, 32, sha1.New))
	must(err)
	return cipher
}

func tuned(conn net.Conn) net.Conn {
	if session, ok := conn.(*kcp.UDPSession); ok {
		session.SetStreamMode(true)
		session.SetWriteDelay(false)
		session.SetNoDelay(1, 10, 2, 1)
		session.SetWindowSize(1024, 1024)
	}
	return conn
}

func dialCarrier() net.Conn {
	if *carrier == "kcp" {
		conn, err := kcp.DialWithOptions(*connect, block(), 10, 3)
		must(err)
		return tuned(conn)
	}
	conn, err := net.Dial("tcp", *connect)
	must(err)
	return conn
}

func listenForCarriers() net.Listener {
	if *carrier == "kcp" {
		listener, err := kcp.ListenWithOptions(*listen, block(), 10, 3)
		must(err)
		return listener
	}
	listener, err := net.Listen("tcp", *listen)
	must(err)
	return listener
}

func say(what interface{}) { must(json.NewEncoder(os.Stdout).Encode(what)) }

// --- SOCKS5, as little as is needed ---

func writeAddress(host net.IP, port int) []byte {
	message := append([]byte{1}, host.To4()...)
	return append(message, byte(port>>8), byte(port))
}

func readAddress(from io.Reader) (string, error) {
	kind := make([]byte, 1)
	if _, err := io.ReadFull(from, kind); err != nil {
		return "", err
	}
	if kind[0] != 1 {
		return "", fmt.Errorf("type of address %d", kind[0])
	}
	rest := make([]byte, 6)
	if _, err := io.ReadFull(from, rest); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s:%d", net.IP(rest[:4]), binary.BigEndian.Uint16(rest[4:])), nil
}

// readReply takes one SOCKS5 reply; the address in it.
func readReply(from io.Reader) (string, error) {
	head := make([]byte, 3)
	if _, err := io.ReadFull(from, head); err != nil {
		return "", err
	}
	if head[0] != 5 || head[1] != 0 {
		return "", fmt.Errorf("reply % x", head)
	}
	return readAddress(from)
}

func request(conn io.ReadWriter, command byte, address string) (string, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte{5, 1, 0}); err != nil {
		return "", err
	}
	method := make([]byte, 2)
	if _, err := io.ReadFull(conn, method); err != nil {
		return "", err
	}
	if !bytes.Equal(method, []byte{5, 0}) {
		return "", fmt.Errorf("method % x", method)
	}
	if _, err := conn.Write(append([]byte{5, command, 0}, writeAddress(to.IP, to.Port)...)); err != nil {
		return "", err
	}
	return readReply(conn)
}

// takeRequest is the other side of request.
func takeRequest(conn io.ReadWriter) (command byte, address string, err error) {
	head := make([]byte, 2)
	if _, err = io.ReadFull(conn, head); err != nil {
		return
	}
	if _, err = io.CopyN(io.Discard, conn, int64(head[1])); err != nil {
		return
	}
	if _, err = conn.Write([]byte{5, 0}); err != nil {
		return
	}
	head = make([]byte, 3)
	if _, err = io.ReadFull(conn, head); err != nil {
		return
	}
	address, err = readAddress(conn)
	return head[1], address, err
}

func reply(conn io.Writer, address net.Addr) error {
	tcp := address.(*net.TCPAddr)
	_, err := conn.Write(append([]byte{5, 0, 0}, writeAddress(tcp.IP, tcp.Port)...))
	return err
}

// relay moves bytes between a stream and a connection; the stream is closed behind the last ones from the connection.
func relay(stream net.Conn, conn *net.TCPConn) {
	done := make(chan struct{})
	go func() {
		io.Copy(conn, stream)
		conn.CloseWrite()
		close(done)
	}()
	io.Copy(stream, conn)
	stream.Close()
	<-done
	conn.Close()
}

// --- the roles ---

func serveStream(stream net.Conn) {
	defer stream.Close()
	command, address, err := takeRequest(stream)
	if err != nil || command != 1 {
		return
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		stream.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	if err := reply(stream, conn.LocalAddr()); err != nil {
		conn.Close()
		return
	}
	relay(stream, conn.(*net.TCPConn))
}

func acceptAll(take func(net.Conn)) {
	listener := listenForCarriers()
	say(map[string]string{"listening": listener.Addr().String()})
	for {
		conn, err := listener.Accept()
		must(err)
		go take(tuned(conn))
	}
}

func server(conn net.Conn) {
	s := newSession(conn, false)
	for {
		stream, err := s.accept()
		if err != nil {
			conn.Close()
			return
		}
		go serveStream(stream)
	}
}

func mbindServer(conn net.Conn) {
	defer conn.Close()
	command, address, err := takeRequest(conn)
	if err != nil || command != 0xf2 {
		return
	}
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		conn.Write([]byte{5, 1, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	defer listener.Close()
	if err := reply(conn, listener.Addr()); err != nil {
		return
	}
	s := newSession(conn, true)
	go func() {
		s.accept() // fails with the session
		listener.Close()
	}()
	for {
		peer, err := listener.Accept()
		if err != nil {
			return
		}
		stream, err := s.open()
		if err != nil {
			return
		}
		go func() {
			if err := reply(stream, peer.RemoteAddr()); err != nil {
				peer.Close()
				return
			}
			relay(stream, peer.(*net.TCPConn))
		}()
	}
}

func mbindClient() {
	conn, err := net.Dial("tcp", *connect)
	must(err)
	bound, err := request(conn, 0xf2, "127.0.0.1:0")
	must(err)
	say(map[string]string{"bound": bound})
	s := newSession(conn, false)
	for peers := 0; ; peers++ {
		stream, err := s.accept()
		must(err)
		number := peers
		go func() {
			if _, err := readReply(stream); err != nil {
				log.Print(err)
			}
			if number >= *unread {
				io.Copy(stream, stream)
				stream.Close()
			}
		}()
	}
}

var errEarly = errors.New("closed in the middle")

// exchange sends bytes to the target and expects them back.
func exchange(s session, number int) error {
	random := rand.New(rand.NewSource(int64(number)))
	count := *size
	if !*exact {
		count = 1 + random.Intn(*size)
	}
	stop := count
	if random.Intn(100) < *early {
		stop = random.Intn(count)
	}
	stream, err := s.open()
	if err != nil {
		return err
	}
	defer stream.Close()
	if _, err := request(stream, 1, *target); err != nil {
		return err
	}
	sent := make([]byte, count)
	random.Read(sent)
	go func() {
		for rest := sent; len(rest) > 0; {
			part := 1 + rand.Intn(100000)
			if part > len(rest) {
				part = len(rest)
			}
			if _, err := stream.Write(rest[:part]); err != nil {
				return
			}
			rest = rest[part:]
		}
	}()
	got := make([]byte, stop)
	if n, err := io.ReadFull(stream, got); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, count, err)
	}
	if !bytes.Equal(got, sent[:stop]) {
		return errors.New("other bytes than were sent")
	}
	if stop < count {
		return errEarly
	}
	return nil
}

// stall opens a stream that one side does not read. What it writes or leaves unread goes on to the end of the program.
func stall(s session, to string, write bool) {
	stream, err := s.open()
	must(err)
	_, err = request(stream, 1, to)
	must(err)
	if !write {
		return
	}
	block := make([]byte, 100000)
	go func() {
		for {
			if _, err := stream.Write(block); err != nil {
				return
			}
		}
	}()
}

func client() {
	conn := dialCarrier()
	time.AfterFunc(*deadline, func() { log.Fatal("it took too long") })
	s := newSession(conn, true)
	for i := 0; i < *stalled; i++ {
		if *push != "" {
			stall(s, *push, true)
		}
		if *pull != "" {
			stall(s, *pull, false)
		}
	}
	var mutex sync.Mutex
	complete, closed, errs := 0, 0, []string{}
	for round := 0; round < *rounds; round++ {
		var all sync.WaitGroup
		for i := 0; i < *streams; i++ {
			all.Add(1)
			go func(number int) {
				defer all.Done()
				err := exchange(s, number)
				mutex.Lock()
				defer mutex.Unlock()
				switch {
				case err == nil:
					complete++
				case errors.Is(err, errEarly):
					closed++
				default:
					errs = append(errs, err.Error())
				}
			}(round**streams + i)
		}
		all.Wait()
	}
	if len(errs) > 5 {
		errs = append(errs[:5], "…")
	}
	say(map[string]interface{}{"complete": complete, "closed": closed, "errors": errs})
	if *push != "" || *pull != "" {
		io.Copy(io.Discard, os.Stdin) // the stalled streams stay until the test has looked
	}
}

func main() {
	flag.Parse()
	switch *role {
	case "client":
		client()
	case "server":
		acceptAll(server)
	case "mbind-client":
		mbindClient()
	case "mbind-server":
		acceptAll(mbindServer)
	default:
		log.Fatalf("role %s", *role)
	}
}
