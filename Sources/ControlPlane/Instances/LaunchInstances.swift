internal import Blocks
internal import Catalog

/// Makes instances with their disks.
///
/// 1. Record the instances, running or stopped, with a task and the token they are asked for by, in one transaction.
/// 2. Make each disk: the transaction that records it writes its id into the task. Attach it.
/// 3. The task has succeeded.
///
/// What fails is undone, by the same task: the instances are terminated, the disks that the task names are deleted, and what else
/// was attached to the instances meanwhile is detached and kept. In the end the token may be used again. A stop before 3 is undone
/// at the next start, one in the undoing goes on with it; what cannot be done now is tried again. As long as the task has not ended,
/// whoever asks by the token is told so, and nothing that may still go.
struct LaunchInstances: Sendable {
    let house: Household
    let caller: Caller

    /// What tokens are for.
    static let action = "run-instances"

    /// - Throws: ``RequestToken/Used`` when they were made before.
    func run(_ request: NewInstances) async throws -> [InstanceRecord] {
        // First: the image may have gone since.
        if let used = try await used(request.token) { throw used }
        let image = try await house.launchableImage(request.imageID, for: caller)
        var request = request
        if let image { request.disks = try image.disks(for: request) }
        let zone = try check(request)
        let launch = Identifier.launch.next(), now = house.clock.now()
        let records = (0..<request.count).map { _ in
            var record = InstanceRecord(
                id: Identifier.instance.next(), account: caller.account, zone: zone, kind: request.kind,
                imageID: request.imageID, launchID: launch, launchedAt: now)
            record.isKept = request.isKept
            if request.isStopped { record.state = .stopped }
            return record
        }
        let task = house.newTask(.runInstances, about: launch, of: caller.account)
        try await record(records, of: request, launch, task, at: now)
        Failpoint.hit("instance.recorded")
        do {
            for record in records { try await fill(record, request, through: image?.snapshots ?? [], task.id) }
            try await house.catalog.change { [house] session in
                guard let task = try session.task(task.id) else { return }
                try session.update(house.ended(task, .succeeded))
            }
        } catch {
            await undo(launch, by: task, because: ServiceError.from(error, .instance).message)
            throw error
        }
        house.announce(launch)
        return records
    }

    private func used(_ token: RequestToken?) async throws -> RequestToken.Used? {
        guard let token else { return nil }
        return try await house.catalog.change { [caller] in try token.used(for: Self.action, by: caller.account, $0) }
    }

    private func check(_ request: NewInstances) throws -> String {
        guard (1...Limits.instancesAtOnce).contains(request.count) else {
            throw ServiceError(
                .invalid, .instance, "\(request.count) instances at once: 1 to \(Limits.instancesAtOnce) are allowed")
        }
        try Limits.check(name: request.kind, .instance)
        try Limits.check(name: request.imageID, .instance)
        try InstanceService.check(userData: request.attributes.userData)
        try TagRules.check(request.tags)
        try TagRules.check(count: request.tags.count, of: "the instance")
        try ResourceGroupService.check(request.resourceGroup)
        guard request.disks.count <= Limits.disksMax else {
            throw ServiceError(
                .invalid, .instance, "\(request.disks.count) disks: at most \(Limits.disksMax) are allowed")
        }
        var names: [DeviceName] = []
        for disk in request.disks {
            let name = try DeviceName(disk.device)
            guard !names.contains(name) else {
                throw ServiceError(.invalid, .attachment, "the device \(disk.device) is named twice")
            }
            names.append(name)
        }
        let wanted = request.zone ?? house.region.zones[0].name
        guard house.region.zone(wanted)?.name == wanted else {
            throw ServiceError(.invalid, .instance, "there is no zone \(wanted.quotable) in \(house.region.name)")
        }
        return wanted
    }

    // MARK: Making

    private func record(
        _ records: [InstanceRecord], of request: NewInstances, _ launch: String, _ task: TaskRecord, at now: WallTime
    ) async throws {
        try await house.catalog.change { [caller] session in
            try session.mustHave(account: caller.account)
            try request.token?.take(for: Self.action, by: caller.account, making: launch, at: now, session)
            try session.insert(task)
            for record in records {
                try session.insert(record)
                for (key, value) in request.tags { try session.setTag(key, to: value, on: record.id) }
                try session.place(record.id, of: record.account, in: request.resourceGroup)
                try session.set(request.attributes.record, ofInstance: record.id)
                if !request.keepsakes.isEmpty { try session.set(keepsakes: request.keepsakes, ofInstance: record.id) }
            }
        }
    }

    private func fill(
        _ record: InstanceRecord, _ request: NewInstances, through images: Set<String>, _ task: String
    ) async throws {
        for disk in request.disks {
            var wanted = disk.volume
            wanted.zone = record.zone
            wanted.resourceGroup = wanted.resourceGroup ?? request.resourceGroup
            wanted.recording = { session, volume in
                guard var task = try session.task(task) else { return }
                task.argument = (Self.volumes(of: task) + [volume.id]).joined(separator: " ")
                try session.update(task)
            }
            let volume = try await VolumeService(house, caller).create(wanted, through: images).id
            Failpoint.hit("instance.disk")
            _ = try await InstanceService(house, caller).attach(
                volume, to: record.id, as: disk.device, goesWithInstance: disk.goesWithInstance)
        }
    }

    private static func volumes(of task: TaskRecord) -> [String] {
        (task.argument ?? "").split(separator: " ").map(String.init)
    }

    // MARK: Undoing

    /// Takes away what an unfinished launch has made, now or later.
    func undo(_ launch: String, by task: TaskRecord, because reason: String) async {
        // As it is now: with what was made.
        let present = (try? await house.catalog.change { try $0.task(task.id) }) ?? task
        _ = await house.runner.start(present) { try await undo(launch, by: present.id, because: reason) }
    }

    private func undo(_ launch: String, by task: String, because reason: String) async throws -> Attempt {
        let (instances, volumes) = try await house.catalog.change { [caller] session in
            (
                try session.instances(of: caller.account).filter { $0.launchID == launch }.map(\.id),
                try session.task(task).map(Self.volumes(of:)) ?? []
            )
        }
        var problem: (any Error)?
        for id in instances {
            do {
                try await EndInstance(house: house).begin(id) { session in
                    for disk in try session.volumeAttachments(to: id) {
                        try session.setGoesWithInstance(
                            volumes.contains(disk.objectID), volume: disk.objectID, on: id)
                    }
                }
            } catch { problem = error }
        }
        for volume in volumes {
            do { try await delete(volume) } catch { problem = error }
        }
        if let problem { throw problem }
        try await house.catalog.change { try $0.deleteTokens(of: launch) }
        return .failed(reason)
    }

    /// Unless it is gone, or somebody has taken it to another place meanwhile.
    private func delete(_ volume: String) async throws {
        do { try await DeleteVolume(house: house).begin(volume) } catch let error as ServiceError {
            switch error.code {
            case .missing, .wrongState, .inUse: return
            default: throw error
            }
        }
    }
}
