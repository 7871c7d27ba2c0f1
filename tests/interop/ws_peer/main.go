// One end of WebSocket connections, made of the library that GOST uses: each carries one TCP connection.
//
//	-role server  accepts WebSocket and passes what comes on to -target
//	-role client  accepts TCP and passes what comes on over WebSocket to -url
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

var (
	role     = flag.String("role", "client", "client or server")
	target   = flag.String("target", "", "server: where to pass connections on to")
	url      = flag.String("url", "", "client: the WebSocket server")
	compress = flag.Bool("compress", false, "offer, or accept, permessage-deflate")
	buffer   = flag.Int("buffer", 4096, "size of the buffers: longer messages are sent in fragments by clients")
)

// toSocket passes messages on as a stream, until the end of either.
func toSocket(ws *websocket.Conn, conn net.Conn) {
	for {
		_, message, err := ws.NextReader()
		if err != nil {
			break
		}
		if _, err := io.Copy(conn, message); err != nil {
			break
		}
	}
	conn.Close()
}

// toMessages passes a stream on as messages, until the end of either.
func toMessages(conn net.Conn, ws *websocket.Conn) {
	piece := make([]byte, 20000)
	for {
		n, err := conn.Read(piece)
		if n > 0 && ws.WriteMessage(websocket.BinaryMessage, piece[:n]) != nil {
			break
		}
		if err != nil {
			break
		}
	}
	ws.Close()
}

func serve(listener net.Listener) {
	upgrader := websocket.Upgrader{ReadBufferSize: *buffer, WriteBufferSize: *buffer, EnableCompression: *compress,
		CheckOrigin: func(*http.Request) bool { return true }}
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			log.Print(err)
			return
		}
		conn, err := net.Dial("tcp", *target)
		if err != nil {
			log.Print(err)
			ws.Close()
			return
		}
		go toMessages(conn, ws)
		toSocket(ws, conn)
	})
	log.Fatal(http.Serve(listener, nil))
}

func dial(listener net.Listener) {
	dialer := websocket.Dialer{ReadBufferSize: *buffer, WriteBufferSize: *buffer, EnableCompression: *compress,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			ws, _, err := dialer.Dial(*url, nil)
			if err != nil {
				log.Print(err)
				conn.Close()
				return
			}
			go toMessages(conn, ws)
			toSocket(ws, conn)
		}()
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	if *role == "server" {
		serve(listener)
	} else {
		dial(listener)
	}
}
