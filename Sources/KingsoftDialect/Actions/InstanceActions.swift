internal import Blocks
internal import ControlPlane

extension KingsoftDialect {
    static let instanceActions: [KingsoftAction] = [
        .change(.kec, "RunInstances", lacks: "networks, keys and passwords are ignored", runInstances),
        .look(
            .kec, "DescribeInstances",
            knows: ["InstanceId", "ProjectId", "Filter", "Search", "Sort", "Marker", "MaxResults"],
            lacks: "networks; Sort is ignored", describeInstances),
        .change(.kec, "StartInstances") { try await change($0) { try await $0.set(.running, of: $1) } },
        .change(.kec, "StopInstances", lacks: "ForceStop and StoppedMode make no difference") { call in
            try await change(call) { try await $0.set(.stopped, of: $1) }
        },
        .change(.kec, "RebootInstances") { try await change($0) { try await $0.set(.running, of: $1) } },
        .change(.kec, "TerminateInstances") { try await change($0) { try await $0.terminate($1) } },
        .look(.kec, "DescribeInstanceTypeConfigs", knows: ["Filter", "ProjectId", "AvailabilityZone"]) { _ in
            .with { fields in
                fields.add(
                    "InstanceTypeConfigSet",
                    [
                        .with { one in
                            one.add("InstanceType", "host")
                            one.add(
                                "DataDiskQuotaSet",
                                VolumeTypes.all.map { type in
                                    .with { quota in
                                        quota.add("DataDiskType", type)
                                        quota.add("DataDiskCount", dataDisksMax)
                                    }
                                })
                        }
                    ])
            }
        },
        .look(.ebs, "DescribeEbsInstances", knows: ["AvailabilityZone", "VolumeType"]) { call in
            let zone = try call.parameters.required("AvailabilityZone")
            _ = try call.parameters.required("VolumeType")
            let instances = try await call.verbs.instances.list().filter { $0.state != .terminated && $0.zone == zone }
            return .with { fields in
                fields.add(
                    "Instances",
                    instances.compactMap { instance in
                        guard let id = KingsoftID.uuid(instance.id, .instance) else { return nil }
                        return .with { one in
                            one.add("InstanceId", id)
                            one.add("InstanceName", InstanceWords.name(of: instance, id))
                            one.add("InstanceIp", "127.0.0.1")
                            one.add("InstanceEnable", dataDisks(of: instance).count < dataDisksMax)
                        }
                    })
            }
        },
    ]

    // MARK: Looking

    private static let describeInstances: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let parameters = call.parameters
        let first = try parameters.number("Marker", in: 0...Int.max) ?? 0
        let count = min(1000, try parameters.number("MaxResults", in: 1...Int.max) ?? 100)
        let ids = parameters.list("InstanceId").map { $0.lowercased() }, projects = parameters.list("ProjectId")
        let filters = try filters(parameters)
        let volumes = try await call.verbs.volumes.list()
        let byID = Dictionary(volumes.map { ($0.id, $0) }) { first, _ in first }
        let found = try await call.verbs.instances.list().filter { instance in
            guard let id = KingsoftID.uuid(instance.id, .instance), instance.state != .terminated else { return false }
            return (ids.isEmpty || ids.contains(id))
                && (projects.isEmpty || projects.contains("\(Terms(instance.keepsakes).project)"))
                && (parameters["Search"].map { InstanceWords.name(of: instance, id).contains($0) } ?? true)
                && filters.allSatisfy { $0.values.contains(value(of: $0.name, instance, id)) }
        }
        let start = min(first, found.count), end = min(found.count, start + count)
        return .with { fields in
            fields.add("InstanceCount", found.count)
            fields.add("InstancesSet", found[start..<end].compactMap { InstanceWords.fields($0, byID) })
            fields.add("Marker", end < found.count ? end : 0)
        }
    }

    private static let filterNames = [
        "instance-id", "instance-name", "instance-state.name", "image-id", "availability-zone-name",
    ]

    private static func filters(
        _ parameters: KingsoftParameters
    ) throws(KingsoftFailure) -> [(name: String, values: [String])] {
        var filters: [(name: String, values: [String])] = []
        for filter in parameters.structures("Filter") {
            guard let name = try filter.word("Name", of: filterNames) else { throw .required("Filter") }
            filters.append((name, filter.list("Value")))
        }
        return filters
    }

    private static func value(of filter: String, _ instance: InstanceView, _ id: String) -> String {
        switch filter {
        case "instance-id": id
        case "instance-name": InstanceWords.name(of: instance, id)
        case "instance-state.name": InstanceWords.state(instance.state)
        case "image-id": instance.imageId.map { KingsoftID.uuid($0, .image) ?? $0 } ?? ""
        default: instance.zone
        }
    }

    // MARK: Changing

    /// Brings each of the named instances into another state; each has its own result.
    private static func change(
        _ call: KingsoftCall, _ body: (InstanceService, String) async throws -> InstanceView
    ) async throws -> KingsoftFields {
        let uuids = call.parameters.list("InstanceId")
        guard !uuids.isEmpty else { throw KingsoftFailure.required("InstanceId") }
        var instances: [InstanceView] = []
        for uuid in uuids { instances.append(try await call.instance(uuid: uuid)) }
        try call.dryRun()
        var results: [KingsoftFields] = []
        for instance in instances {
            var message = ""
            do { _ = try await body(call.verbs.instances, instance.id) } catch let error as ServiceError {
                guard error.code != .forbidden, instances.count > 1 else { throw error }
                message = KingsoftFailure(from: error).message
            }
            results.append(
                .with { one in
                    one.add("InstanceId", KingsoftID.uuid(instance.id, .instance))
                    one.add("Return", message.isEmpty)
                    if !message.isEmpty { one.add("Message", message) }
                })
        }
        return .with { $0.add("InstancesSet", results) }
    }

    private static let runInstances: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let parameters = call.parameters
        let image = try parameters.required("ImageId")
        let least = try parameters.number("MinCount", in: 1...100) ?? 1
        let count = try parameters.number("MaxCount", in: 1...100) ?? least
        guard least <= count else { throw KingsoftFailure.wrong("MinCount", "It is more than MaxCount.") }
        let terms = try Terms(parameters)
        // One that is not here is only kept, as its owner calls it.
        var request = NewInstances(
            count: count, zone: try zone(call), kind: parameters["InstanceType"] ?? "host",
            imageID: KingsoftID.id(image, .image) ?? image)
        if let name = parameters["InstanceName"] { request.tags = ["Name": name] }
        for (index, disk) in parameters.structures("DataDisk").enumerated() {
            var made = try await dataDisk(disk, index, call)
            terms.write(to: &made.volume.keepsakes)
            request.disks.append(made)
        }
        terms.write(to: &request.keepsakes)
        request.token = try call.token()
        try call.dryRun()
        let made = try await call.verbs.instances.launch(request)
        return .with { fields in
            fields.add(
                "InstancesSet",
                made.compactMap { instance in
                    guard let id = KingsoftID.uuid(instance.id, .instance) else { return nil }
                    return .with { one in
                        one.add("InstanceId", id)
                        one.add("InstanceName", InstanceWords.name(of: instance, id))
                    }
                })
        }
    }

    private static func zone(_ call: KingsoftCall) throws(KingsoftFailure) -> String? {
        guard let zone = call.parameters["AvailabilityZone"] else { return nil }
        guard call.region.zone(zone)?.name == zone else {
            throw .wrong("AvailabilityZone", "\(call.region.name) has no zone \(zone.shortened).")
        }
        return zone
    }

    /// One of `DataDisk.N`.
    private static func dataDisk(
        _ disk: KingsoftParameters, _ index: Int, _ call: KingsoftCall
    ) async throws -> NewInstances.Disk {
        guard index < dataDisksMax else {
            throw KingsoftFailure.wrong("DataDisk", "At most \(dataDisksMax) are allowed.")
        }
        let name = try disk.word("Type", of: VolumeTypes.all) ?? VolumeKind.ssd3.name
        var origin = CreateVolume.Origin.empty, least: Int?
        if let uuid = disk["SnapshotId"] {
            let snapshot = try await call.availableSnapshot(uuid: uuid)
            origin = .snapshot(snapshot.id)
            least = VolumeTypes.gibibytes(snapshot.volumeSizeBytes)
        }
        guard let size = try disk.number("Size", in: 1...65_536) ?? least, let kind = VolumeKind.named(name) else {
            throw KingsoftFailure.required("Size")
        }
        guard size >= least ?? 0 else { throw KingsoftFailure.wrong("Size", "It is less than the snapshot's.") }
        var volume = CreateVolume(size: .gibibytes(size), origin: origin)
        volume.profile = try profile(kind, size, KingsoftParameters())
        let letters = Array("bcdefghi")
        return NewInstances.Disk(
            device: "/dev/sd\(letters[index])", volume: volume,
            goesWithInstance: try disk.flag("DeleteWithInstance") ?? false)
    }
}
