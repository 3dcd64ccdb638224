// Cars: a participant over HTTP in Go, of the standard library alone.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// Car is what became of a trip's car. What is known stands in a file, a line for each change.
type Car struct {
	TripID   string `json:"tripId"`
	Plate    string `json:"plate"`
	Returned bool   `json:"returned"`
}

type store struct {
	sync.Mutex
	cars map[string]Car
	file *os.File
}

func open(path string) *store {
	_ = os.MkdirAll(filepath.Dir(path), 0o700)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	cars := map[string]Car{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var car Car
		if json.Unmarshal(lines.Bytes(), &car) == nil {
			cars[car.TripID] = car
		}
	}
	return &store{cars: cars, file: file}
}

// keep returns once the change would survive a crash: only then it may be answered.
func (s *store) keep(car Car) {
	line, _ := json.Marshal(car)
	if _, err := s.file.Write(append(line, '\n')); err != nil {
		log.Fatal(err)
	}
	if err := s.file.Sync(); err != nil {
		log.Fatal(err)
	}
	s.cars[car.TripID] = car
}

type command struct {
	TripID string `json:"tripId"`
	At     string `json:"at"`
	Days   int    `json:"days"`
}

type answer map[string]any

// rent gives the name of an error of the contract, or none.
func (s *store) rent(c command) (string, answer) {
	known, found := s.cars[c.TripID]
	switch {
	case known.Returned: // it comes after its undo
		return "NoCar", answer{"tripId": c.TripID, "reason": "the trip was cancelled"}
	case found: // a repeat
		return "", answer{"tripId": c.TripID, "plate": known.Plate}
	case c.Days > 30:
		return "NoCar", answer{"tripId": c.TripID, "reason": "30 days at most"}
	}
	car := Car{TripID: c.TripID, Plate: fmt.Sprintf("TRIP-%03d", len(s.cars)+1)}
	s.keep(car)
	return "", answer{"tripId": c.TripID, "plate": car.Plate}
}

// giveBack confirms also what never was.
func (s *store) giveBack(c command) (string, answer) {
	s.keep(Car{TripID: c.TripID, Plate: s.cars[c.TripID].Plate, Returned: true})
	return "", answer{"tripId": c.TripID}
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handlers := map[string]func(command) (string, answer){"RentCar": s.rent, "ReturnCar": s.giveBack}
	handle, found := handlers[r.Header.Get("ce-type")]
	var c command
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || !found {
		http.Error(w, "no command of ours", http.StatusNotFound)
		return
	}
	s.Lock()
	no, body := handle(c)
	s.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if no != "" {
		w.Header().Set("ce-type", no)
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	_ = json.NewEncoder(w).Encode(body)
	log.Println(r.Header.Get("ce-id"), no, body)
}

func main() {
	port, data := os.Getenv("PORT"), os.Getenv("DATA")
	if port == "" {
		port = "7002"
	}
	if data == "" {
		data = "examples/trip/data"
	}
	http.Handle("/commands", open(filepath.Join(data, "cars.jsonl")))
	log.Println("cars at http://localhost:" + port + "/commands")
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
