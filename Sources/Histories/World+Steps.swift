internal import Blocks
internal import Repository
internal import Simulation
internal import VolumeEngine

extension World {
    /// Does a step and keeps the model up to date. Throws what engine and repository throw, with the step still under way.
    func run(_ step: Step) throws {
        underWay = UnderWay()
        underWay.step = step
        switch step {
        case .write(let position, let unit, let count, let durably):
            let disk = pick(position)
            try write(disk, range(disk, unit, count), durably: durably)
        case .zero(let position, let unit, let count, let mayPunch):
            let disk = pick(position)
            try zero(disk, range(disk, unit, count), mayPunch: mayPunch)
        case .trim(let position, let unit, let count):
            let disk = pick(position)
            try trim(disk, range(disk, unit, count))
        case .read(let position, let unit, let count):
            let disk = pick(position)
            try read(disk, range(disk, unit, count))
        case .flush(let position): try flush(pick(position))
        case .cut(let position): try cut([pick(position)])
        case .groupCut: try cut(disks)
        case .upload(let position, let calls): try upload(pick(position), calls: calls)
        case .settle(let position): try settle(pick(position))
        case .cancel(let position): try cancel(pick(position))
        case .hydrate(let position): try hydrate(pick(position))
        case .rollBack(let position, let snapshot, let inPlace):
            try landed { try rollBack(pick(position), snapshot, inPlace: inPlace) }
        case .clone(let snapshot):
            let known = committed
            if !known.isEmpty { try clone(known[snapshot % known.count].id) }
        case .cloneFromPending(let position):
            guard History.overlayBlocks(history.seed) == nil else { break }
            if let id = pick(position).cuts.last { try clone(id) }
        case .delete(let position):
            let known = committed
            if !known.isEmpty { try delete(known[position % known.count].id) }
        case .grow(let position, let units): try landed { try grow(pick(position), units) }
        case .destroy(let position): try landed { try destroy(pick(position)) }
        case .restart(let newBoot): try landed { try restart(newBoot: newBoot) }
        case .kill(let at, let moment, let again):
            arm(Fate.Outage(powerLoss: nil, at: at, moment: Self.moment(moment), again: again))
        case .powerLoss(let at, let moment, let again, let seed):
            arm(Fate.Outage(powerLoss: UInt64(seed), at: at, moment: Self.moment(moment), again: again))
        case .reclaim: try reclaim()
        case .recover: try fate.quietly { try checkInventory() }
        case .clock(let seconds):
            clock.set(clock.now() + .seconds(seconds))
            setBack += max(0, -seconds)
        case .pass(let seconds): clock.advance(by: .seconds(seconds))
        case .trouble(let kind, let calls): fate.trouble(kind: kind, calls: calls)
        case .straggler(let position, let unit, let count, let at, let hold, let steps):
            let disk = pick(position)
            try land()
            send(disk, range(disk, unit, count), at: at, hold: hold, steps: steps)
            return
        }
        underWay = UnderWay()
        try countFlightDown()
    }

    private static func moment(_ number: Int) -> DiskVerdict.Moment { DiskVerdict.Moment.allCases[number % 3] }
    private func arm(_ outage: Fate.Outage) { fate.arm(outage) }

    /// Steps during which nobody uses the volumes.
    private func landed(_ body: () throws -> Void) throws {
        try land()
        try body()
    }

    // MARK: Reading and writing

    /// Runs a request of a guest. It may fail only if the process dies in it, or if it needs a store that is away.
    private func request(_ disk: ModelDisk, _ what: String, _ body: () throws -> Void) throws {
        let faults = fate.faults
        do { try body() } catch {
            if fate.down != nil { throw error }
            let isRestoring = disk.live.status.source != nil
            guard isRestoring, fate.faults > faults else {
                throw Violation(.g7, "\(what) of \(disk.name) failed: \(error)")
            }
            throw Refused()
        }
    }

    func write(_ disk: ModelDisk, _ range: Range<Int>, durably: Bool) throws {
        written += 1
        let number = written
        underWay.disk = disk
        underWay.image = disk.now.filled(range, number)
        crossed(disk, range)
        let data = Stamps.bytes(number, at: range.lowerBound, count: range.count, unit: Self.unit)
        let place = bytes(range)
        do {
            try request(disk, "a write") {
                try data.readBytes { (span) throws(BlockFailure) in
                    try disk.live.write(place, from: span, durably: durably)
                }
            }
        } catch is Refused { return try adopt(disk, range, number) }
        disk.wrote(range, number, durably: durably)
    }

    private func zero(_ disk: ModelDisk, _ range: Range<Int>, mayPunch: Bool) throws {
        underWay.disk = disk
        underWay.image = disk.now.filled(range, 0)
        crossed(disk, range)
        let place = bytes(range)
        do {
            try request(disk, "a zero") { try disk.live.zero(place, mayPunch: mayPunch, durably: false) }
        } catch is Refused { return try adopt(disk, range, 0) }
        disk.wrote(range, 0, durably: false)
    }

    private func trim(_ disk: ModelDisk, _ range: Range<Int>) throws {
        underWay.disk = disk
        underWay.image = disk.now.filled(range, 0)
        crossed(disk, range)
        let place = bytes(range)
        do {
            try request(disk, "a trim") { try disk.live.trim(place, durably: false) }
        } catch is Refused {}
        // A trim leaves zeros or the old bytes.
        try adopt(disk, range, 0)
    }

    /// What a request that may have been done in part has left.
    private func adopt(_ disk: ModelDisk, _ range: Range<Int>, _ number: UInt32) throws {
        let found = try fate.quietly { try contents(disk) }
        for unit in range {
            let old = disk.now.numbers[unit]
            var allowed = [old, number]
            if let flight, flight.straggler.disk == disk.name, flight.range.contains(unit) {
                allowed.append(flight.number)
            }
            guard let now = found[unit], allowed.contains(now) else {
                throw Violation(.disk, "sector \(unit) of \(disk.name) is \(Self.text(found[unit])), not of \(allowed)")
            }
            disk.survivors[unit] += [number, now]
            disk.now.numbers[unit] = now
        }
    }

    private func read(_ disk: ModelDisk, _ range: Range<Int>) throws {
        var found = [UInt8](repeating: 0xee, count: range.count * Self.unit)
        let place = bytes(range)
        do {
            try request(disk, "a read") {
                try found.writeBytes { (span) throws(BlockFailure) in try disk.live.read(place, into: &span) }
            }
        } catch is Refused { return }
        let numbers = Stamps.decode(found, at: range.lowerBound, unit: Self.unit)
        try compare(disk, numbers, from: range.lowerBound, .disk)
    }

    /// Is this what the volume holds, a write in flight aside?
    func compare(_ disk: ModelDisk, _ found: [UInt32?], from start: Int, _ law: Law) throws {
        for (index, number) in found.enumerated() {
            let unit = start + index
            if number == disk.now.numbers[unit] { continue }
            if let flight, flight.straggler.disk == disk.name, flight.range.contains(unit), number == flight.number {
                continue
            }
            throw Violation(
                law, "sector \(unit) of \(disk.name) is \(Self.text(number)), not \(disk.now.numbers[unit])")
        }
    }
    static func text(_ number: UInt32?) -> String { number.map { "\($0)" } ?? "torn or strange" }

    private func flush(_ disk: ModelDisk) throws {
        do { try request(disk, "a flush") { try disk.live.flush() } } catch is Refused {
            throw Violation(.g7, "a flush of \(disk.name) failed because of the store")
        }
        flushed(disk)
    }

    func flushed(_ disk: ModelDisk) {
        disk.survivors = disk.now.numbers.map { [$0] }
        guard let flight, flight.straggler.disk == disk.name else { return }
        for unit in flight.range where unit < disk.sectors {
            disk.survivors[unit] = [flight.number, disk.now.numbers[unit]]
        }
    }

    // MARK: A write by another thread

    private func send(_ disk: ModelDisk, _ range: Range<Int>, at: Int, hold: Int, steps: Int) {
        written += 1
        let data = Stamps.bytes(written, at: range.lowerBound, count: range.count, unit: Self.unit)
        let straggler = Straggler(
            disk.live, disk: disk.name, range: range, number: written, bytes: data, at: at, hold: hold)
        flight = Flight(
            straggler: straggler, isRestoring: disk.live.status.source != nil, faults: fate.faults, steps: steps + 1)
        fate.arm(straggler)
        tally.stragglers += 1
    }

    private func crossed(_ disk: ModelDisk, _ range: Range<Int>) {
        guard flight?.straggler.disk == disk.name else { return }
        flight?.crossed.formUnion(range)
    }

    private func countFlightDown() throws {
        guard var flying = flight else { return }
        if flying.straggler.isHeldUp { throw Violation(.g5, "a write waited until the cut that it met was over") }
        // What has not begun yet may still begin in a later step.
        if flying.straggler.hasStarted { flying.steps -= 1 }
        flight = flying
        if flying.steps <= 0 { try land() }
    }

    /// Waits for the write in flight and takes it into the model.
    func land() throws {
        guard let flying = flight else { return }
        let outcome = flying.straggler.land()
        fate.arm(nil as Straggler?)
        guard let outcome, let disk = disk(named: flying.straggler.disk) else { return flight = nil }
        // An outage is dealt with, and the flight with it, when the world recovers.
        if fate.down != nil { return }
        flight = nil
        noteGivenUp(disk)
        if case .failure(let failure) = outcome {
            guard flying.isRestoring, fate.faults > flying.faults else {
                throw Violation(.g7, "a write of \(disk.name) failed: \(failure)")
            }
        }
        let found = try fate.quietly { try contents(disk) }
        for unit in flying.range {
            let old = disk.now.numbers[unit]
            let isSure = if case .success = outcome { !flying.crossed.contains(unit) } else { false }
            let allowed = isSure ? [flying.number] : [old, flying.number]
            guard let now = found[unit], allowed.contains(now) else {
                throw Violation(
                    .disk, "sector \(unit) of \(disk.name) is \(Self.text(found[unit])), not of \(allowed)")
            }
            disk.survivors[unit] += [flying.number, now]
            disk.now.numbers[unit] = now
        }
    }
}

/// A request that needed a store that did not answer.
struct Refused: Error {}
