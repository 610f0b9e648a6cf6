/// What an operator should know or do next, from the store's status, in plain words.
struct StoreAdvice {
    private let status: StoreStatus
    init(_ status: StoreStatus) { self.status = status }

    var sentences: [String] {
        var all: [String] = []
        if !status.isReachable {
            all.append(
                "The store does not answer. Volumes go on as before, new snapshots wait. See to \(status.location): is it "
                    + "mounted, is the disk full, may the server read and write there?")
        }
        if let first = status.unreadable.first { all.append(unreadable(first)) }
        if !status.degraded.isEmpty { all.append(degraded) }
        if let problem = waiting { all.append(problem) }
        if status.isReachable, status.reclaimableBytes > 0, status.reclaimableBytes * 10 >= status.storedBytes {
            all.append("A tenth or more of the store is not needed any more: varve store reclaim frees it.")
        }
        if let scrub = status.scrub, scrub.everySeconds == nil, scrub.lastCompletedAt == nil, !scrub.isRunning {
            all.append(
                "The store is never read again by itself (--scrub-every off): run varve store scrub --now from time to time."
            )
        }
        return all.isEmpty ? ["Nothing to do."] : all
    }

    private func unreadable(_ first: StoreStatus.Unreadable) -> String {
        let more = status.unreadable.count > 1 ? ", and \(status.unreadable.count - 1) more like it" : ""
        return
            "The store's record of \(first.id) is damaged (\(first.problem)\(more)). It stops every reclaim, and the space "
            + "that nothing needs cannot be counted: bring the object back from a copy of the store, or delete the snapshot."
    }

    private var degraded: String {
        let count = status.degraded.count
        let who = count == 1 ? "1 snapshot is" : "\(count) snapshots are"
        return
            "\(who) degraded: some of the store's objects are damaged or missing. What a volume still holds was healed; "
            + "for the rest, bring the objects back from a copy of the store and run varve store scrub --now, or restore "
            + "with holes (varve volume create --from-snapshot ID --skip-damaged), or delete the snapshot. "
            + "varve snapshot show ID lists what cannot be read. New snapshots do not inherit it."
    }

    private var waiting: String? {
        let stuck = status.pending.filter { $0.reason != nil }
        guard status.isReachable, let first = stuck.first(where: { $0.reason?.contains("first") == false }) else {
            return nil
        }
        return "\(first.id) waits: \(first.reason ?? ""). It is tried again by itself."
    }
}
