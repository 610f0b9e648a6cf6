internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository
internal import VolumeEngine

/// What can be measured of one region.
struct RegionMetrics: Sendable {
    let house: Household

    /// Everything at this moment. What cannot be told now is left out.
    func families() async -> [MetricFamily] {
        // A store that nobody heard of for a while is asked for something, on another thread.
        house.door.probeIfQuiet()
        var all: [MetricFamily] = []
        if let found = try? await house.local.run({ [house] in VolumeMetrics(house).families }) { all += found }
        all += StoreMetrics(house.door.meter).families
        all += (try? await recorded()) ?? []
        all += scrub()
        return all
    }

    /// What the catalog and the upload desk know.
    private func recorded() async throws -> [MetricFamily] {
        let uploads = house.desk.uploads
        let now = house.clock.now()
        let (volumes, snapshots, damages, tasks) = try await house.catalog.change { session in
            (
                try session.volumes().filter { $0.asideOf == nil },
                try session.snapshots().filter { !$0.isDeleted && $0.state != .creating }, try session.damages(),
                try session.unfinishedTasks()
            )
        }
        var all: [MetricFamily] = []
        all.append(Self.byState("varve_snapshots", "Snapshots by state.", snapshots.map(\.state.rawValue)))
        all.append(
            MetricFamily(
                "varve_snapshot_stored_bytes", .gauge, "Bytes that the snapshots that are kept added to the store.",
                Double(snapshots.reduce(0) { $0 + ($1.stored?.bytes ?? 0) })))
        all.append(
            MetricFamily(
                "varve_snapshots_degraded", .gauge, "Snapshots of which something cannot be read.",
                Double(damages.count)))
        all.append(
            MetricFamily(
                "varve_snapshot_damaged_bytes", .gauge, "Bytes that cannot be read, over all snapshots.",
                Double(damages.reduce(0) { $0 + $1.bytes.bytes })))
        all.append(
            MetricFamily(
                "varve_volumes_with_holes", .gauge, "Volumes that were restored with holes.",
                Double(volumes.count { !($0.holes ?? []).isEmpty })))
        all += pending(snapshots.filter { $0.state == .pending }, uploads, now)
        var open = MetricFamily("varve_tasks", .gauge, "Tasks that are not finished, by kind and state.")
        let kinds = Dictionary(grouping: tasks) { [$0.kind, $0.state.rawValue] }
        for (key, tasks) in kinds.sorted(by: { $0.key.joined() < $1.key.joined() }) {
            open.add(Double(tasks.count), ("kind", key[0]), ("state", key[1]))
        }
        all.append(open)
        let healed = house.care.healed
        all.append(
            MetricFamily("varve_healed_frames_total", .counter, "Lost frames stored anew.", Double(healed.frames)))
        all.append(
            MetricFamily("varve_healed_bytes_total", .counter, "Content stored anew.", Double(healed.bytes.bytes)))
        let freed = house.reclaims.withLock { $0 }
        all += [
            MetricFamily("varve_reclaims_total", .counter, "Reclaims that were run.", Double(freed.runs)),
            MetricFamily("varve_reclaimed_packs_total", .counter, "Packs that they removed.", Double(freed.packs)),
            MetricFamily("varve_reclaimed_bytes_total", .counter, "Bytes that they freed.", Double(freed.bytes)),
        ]
        return all
    }

    private func pending(
        _ pending: [SnapshotRecord], _ uploads: [String: Upload], _ now: WallTime
    ) -> [MetricFamily] {
        let stuck = uploads.values.filter { $0.problem != nil }
        let oldest = pending.map { now - $0.createdAt }.max() ?? .zero
        let left = uploads.values.reduce(0) { sum, upload in
            guard let progress = upload.writer?.progress, let total = progress.total else { return sum }
            return sum + max(0, total.bytes - progress.captured.bytes)
        }
        return [
            MetricFamily("varve_uploads", .gauge, "Snapshots on their way to the store.", Double(uploads.count)),
            MetricFamily(
                "varve_uploads_running", .gauge, "Of these, how many are worked on now.",
                Double(house.desk.running.count)),
            MetricFamily(
                "varve_uploads_waiting", .gauge, "Of these, how many failed last time and are tried again.",
                Double(stuck.count)),
            MetricFamily(
                "varve_upload_pending_bytes", .gauge, "Bytes that running uploads still have to capture.",
                Double(left)),
            MetricFamily(
                "varve_upload_oldest_pending_seconds", .gauge, "Age of the oldest snapshot that is not completed.",
                oldest.inSeconds),
            MetricFamily(
                "varve_uploads_completed_total", .counter, "Uploads that were completed.",
                Double(house.desk.tally.completed)),
            MetricFamily(
                "varve_upload_failures_total", .counter, "Tries of uploads that failed.",
                Double(house.desk.tally.failures)),
            MetricFamily(
                "varve_uploaded_bytes_total", .counter, "Bytes that completed snapshots added to the store.",
                Double(house.desk.tally.storedBytes)),
        ]
    }

    private func scrub() -> [MetricFamily] {
        let scrub = house.scrub.view(uptime: house.clock.uptime())
        var all = [
            MetricFamily("varve_scrub_running", .gauge, "1 while the store is read again.", scrub.isRunning ? 1 : 0),
            MetricFamily("varve_scrub_progress_ratio", .gauge, "How far that is, 0 to 1.", scrub.progress),
            MetricFamily(
                "varve_scrub_read_bytes_total", .counter, "Bytes read again, over all scrubs.",
                Double(scrub.bytesReadTotal)),
            MetricFamily(
                "varve_scrub_findings_total", .counter, "Damaged frames and packs found, over all scrubs.",
                Double(scrub.findingsTotal)),
        ]
        if let time = scrub.lastCompletedAt {
            all.append(
                MetricFamily(
                    "varve_scrub_last_completed_timestamp_seconds", .gauge, "When the last scrub was completed.",
                    Double(time.milliseconds) / 1000))
        }
        return all
    }

    static func byState(_ name: String, _ help: String, _ states: [String]) -> MetricFamily {
        var family = MetricFamily(name, .gauge, help)
        let counts = Dictionary(states.map { ($0, 1) }, uniquingKeysWith: +)
        for (state, count) in counts.sorted(by: { $0.key < $1.key }) { family.add(Double(count), ("state", state)) }
        return family
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
