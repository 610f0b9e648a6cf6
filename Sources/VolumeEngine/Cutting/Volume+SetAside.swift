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
    public func setAside(_ old: Volume) {
        precondition(old !== self)
        aside.withLock { $0 = $0.filter { $0.volume != nil } + [WeakVolume(volume: old)] }
    }

    /// The disk is full, or nearly: what was set aside gives way. Whoever deletes its files then makes room for the
    /// guest's next writes. Spared are the snapshot that this volume's missing blocks come from and those below it.
    ///
    /// Called by writers, with a stripe lock and a ticket held; takes no lock of this volume's but `aside`, and of the
    /// others only `giving`, whose holders wait for no writer of this one.
    func giveUpAside(_ reason: String) {
        let old = setAside
        guard !old.isEmpty else { return }
        let ticket = admission.enter()
        let needed = admission.generation(ticket).hydration?.snapshot
        admission.leave(ticket)
        for volume in old { _ = volume.giveUpPending(reason, above: needed) }
    }
}
