internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let instanceActions = [
        ECSAction(
            "DescribeInstances", isChange: false, lacks: "what is about networks, and filters by it", describeInstances),
        ECSAction(
            "CreateInstance", isChange: true, lacks: "what is about networks", createInstance),
        ECSAction(
            "RunInstances", isChange: true, lacks: "what is about networks", runInstances),
        ECSAction("StartInstance", isChange: true) { call in
            try await set(.running, from: .stopped, call)
        },
        ECSAction("StopInstance", isChange: true) { call in
            try await set(.stopped, from: .running, call)
        },
        ECSAction("RebootInstance", isChange: true) { call in
            guard try await call.instance().state == .running else { throw ECSFailure.instanceStatus() }
            try call.dryRun()
            return ECSFields()
        },
        ECSAction("DeleteInstance", isChange: true, deleteInstance),
    ]

    // MARK: Making

    private static let createInstance: @Sendable (ECSCall) async throws -> ECSFields = { call in
        var request = try await newInstances(call, count: 1)
        request.isStopped = true
        try call.dryRun()
        guard let made = try await call.verbs.instances.launch(request).first else {
            throw ECSFailure.unexpected("no instance was made")
        }
        return .of { $0.add("InstanceId", ECSID.name(made.id, .instance)) }
    }

    private static let runInstances: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let count = try call.parameters.number("Amount") ?? 1
        guard (1...100).contains(count) else { throw ECSFailure.parameter("Amount") }
        let request = try await newInstances(call, count: count)
        try call.dryRun()
        let made = try await call.verbs.instances.launch(request)
        return .of {
            $0.add(
                "InstanceIdSets", listOf: "InstanceIdSet",
                made.compactMap { ECSID.name($0.id, .instance) }.map { .text($0) })
        }
    }

    private static func newInstances(_ call: ECSCall, count: Int) async throws -> NewInstances {
        let parameters = call.parameters
        if let zone = parameters["ZoneId"], call.region.zone(zone)?.name != zone {
            throw ECSFailure(404, "InvalidZoneId.NotFound", "The specified zone does not exist.")
        }
        var request = NewInstances(
            count: count, zone: parameters["ZoneId"], kind: parameters["InstanceType"] ?? "ecs.g7.large",
            imageID: parameters["ImageId"].map { ECSID.native($0, .image) ?? $0 })
        request.tags = try Tags.read(parameters)
        request.resourceGroup = try ResourceGroups.wanted(call)
        if let name = parameters["InstanceName"] { request.tags["Name"] = name }
        if parameters["SystemDisk.Size"] != nil || parameters["SystemDisk.Category"] != nil {
            request.disks.append(try await disk("SystemDisk", device: "/dev/xvda", goes: true, call))
        }
        let numbers = parameters.numbers("DataDisk"), letters = Array("bcdefghijklmnopq")
        guard numbers.count <= letters.count else { throw tooManyDisks }
        for (index, number) in numbers.enumerated() {
            let goes = try parameters.flag("DataDisk.\(number).DeleteWithInstance") ?? true
            request.disks.append(
                try await disk("DataDisk.\(number)", device: "/dev/xvd\(letters[index])", goes: goes, call))
        }
        request.token = try token(call)
        return request
    }

    private static func disk(
        _ name: String, device: String, goes: Bool, _ call: ECSCall
    ) async throws -> NewInstances.Disk {
        let parameters = call.parameters
        let level = parameters["\(name).PerformanceLevel"]
        var wanted: [String: String] = ["DiskCategory": parameters["\(name).Category"] ?? "cloud_essd"]
        wanted["PerformanceLevel"] = level
        let category = try DiskCategory(ECSParameters(wanted))
        let snapshot = try await parameters["\(name).SnapshotId"] == nil ? nil : call.snapshot("\(name).SnapshotId")
        try snapshot.map(checkUsable)
        let least = snapshot.map { Gibibytes.of($0.volumeSizeBytes) }
        let size = try parameters.number("\(name).Size") ?? least ?? 40
        guard let kind = category.kind, kind.gibibytes.contains(max(size, least ?? 0)) else {
            throw ECSFailure(
                400, "InvalidSize.ValueNotSupported", "The specified parameter Size is not valid.")
        }
        let diskName = try Names.name("\(name).DiskName", parameters, orElse: .diskName)
        var volume = CreateVolume(
            size: .gibibytes(max(size, least ?? 0)), name: diskName,
            origin: snapshot.map { .snapshot($0.id) } ?? .empty)
        volume.profile = VolumeProfile(kind: kind.name)
        return NewInstances.Disk(device: parameters["\(name).Device"] ?? device, volume: volume, goesWithInstance: goes)
    }

    // MARK: States

    private static func set(
        _ state: InstanceView.State, from before: InstanceView.State, _ call: ECSCall
    ) async throws -> ECSFields {
        let instance = try await call.instance()
        guard instance.state == before else { throw ECSFailure.instanceStatus() }
        try call.dryRun()
        _ = try await call.verbs.instances.set(state, of: instance.id)
        return ECSFields()
    }

    private static let deleteInstance: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let instance = try await call.instance()
        let isForced = try call.parameters.flag("Force") ?? false
        guard instance.state == .stopped || isForced else { throw ECSFailure.instanceStatus() }
        try call.dryRun()
        _ = try await call.verbs.instances.terminate(instance.id)
        return ECSFields()
    }

    // MARK: DescribeInstances

    private static let describeInstances: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let pages = try ECSPages(call)
        let ids = try parameters.array("InstanceIds")
        guard ids?.count ?? 0 <= 100 else {
            throw ECSFailure(
                403, "InvalidInstanceIds.Malformed", "The amount of specified instance Ids exceeds the limit.")
        }
        let known = ids.map { Set($0.compactMap { ECSID.native($0, .instance) }) }
        let tags = try Tags.filter(parameters)
        let group = try ResourceGroups.filter(call)
        try call.dryRun()
        let groups = try await ResourceGroups(call)
        let found = try await call.verbs.instances.list().filter { instance in
            instance.state != .terminated && known?.contains(instance.id) ?? true
                && Tags.match(instance.tags, tags) && (group == nil || groups.name(of: instance.id) == group)
                && parameters["Status"].map { $0 == InstanceWords.status(instance) } ?? true
                && parameters["ZoneId"].map { $0 == instance.zone } ?? true
                && parameters["InstanceName"].map { Wildcard.matches($0, InstanceWords.name(instance)) } ?? true
        }
        let page = pages.page(of: found, call) { ($0.launchedAt, $0.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "Instances", listOf: "Instance",
                page.items.map { InstanceWords.write($0, in: groups.name(of: $0.id), call) })
        }
    }
}
