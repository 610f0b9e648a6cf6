internal import Blocks

/// A volume that is kept by others.
struct WeakVolume: Sendable {
    weak let volume: Volume?
}

extension Volume {
    /// Volumes that hold nothing but pending snapshots of this one: the files that a roll back set aside.
    public var setAside: [Volume] { aside.withLock { $0.compactMap(\.volume) } }

    /// Notes that `old` was set aside for this volume. Its pending snapshots are given up before this volume's guest
    /// runs into a full disk (G7). It is not kept alive: its files go when the last of its snapshots has ended.
    /// What was set aside for `old` before is this volume's too.
    public func setAside(_ old: Volume) {
        precondition(old !== self)
        let added = old.setAside + [old]
        aside.withLock { held in
            let known = held.compactMap(\.volume)
            held = (known + added.filter { one in !known.contains { $0 === one } }).map { WeakVolume(volume: $0) }
        }
    }

    /// The disk is full, or nearly: what was set aside gives way. Whoever deletes its files then makes room for the
    /// guest's next writes. Spared are the snapshot that this volume's missing blocks come from, those it builds on, and
    /// whatever lies below one of these.
    ///
    /// Called by writers, with a stripe lock and a ticket held; takes no lock of this volume's but `aside`, and of the
    /// others only `giving`, whose holders wait for no writer of this one.
    func giveUpAside(_ reason: String) {
        let old = setAside
        guard !old.isEmpty else { return }
        let needed = needed(of: old)
        for volume in old { _ = volume.giveUpPending(reason, above: needed) }
    }

    /// The pending snapshots that missing blocks come from: the source, its parent, and so on. After several roll backs
    /// these may lie in several of the volumes.
    private func needed(of old: [Volume]) -> Set<String> {
        let cuts = old.flatMap { $0.looking(\.cuts) }
        var needed: Set<String> = []
        var next = looking { $0.hydration?.snapshot }
        while let snapshot = next, needed.insert(snapshot).inserted {
            next = cuts.first { $0.snapshot == snapshot }?.parent
        }
        return needed
    }

    private func looking<R>(_ look: (Generation) -> R) -> R {
        let ticket = admission.enter()
        defer { admission.leave(ticket) }
        return look(admission.generation(ticket))
    }
}
