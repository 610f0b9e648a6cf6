internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let instanceActions = [
        EC2Action(
            "RunInstances", isChange: true,
            lacks:
                "of an image that is not here only the id is kept; networks, credits and metadata options are ignored",
            runInstances),
        EC2Action(
            "DescribeInstances", isChange: false, lacks: "what is about networks, and filters by it", describeInstances),
        EC2Action("StartInstances", isChange: true) { call in
            try await change(call, verb: "started", to: .pending) { try await $0.set(.running, of: $1) }
        },
        EC2Action("StopInstances", isChange: true, lacks: "hibernation is ignored") { call in
            try await change(call, verb: "stopped", to: .stopping) { try await $0.set(.stopped, of: $1) }
        },
        EC2Action("RebootInstances", isChange: true) { call in
            try call.dryRun()
            for id in try instanceIDs(call) { _ = try await instance(id, call) }
            return .done
        },
        EC2Action("TerminateInstances", isChange: true) { call in
            try await change(call, verb: "terminated", to: .shuttingDown) { try await $0.terminate($1) }
        },
    ]

    // MARK: Making

    private static let runInstances: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let tags = try TagSpecifications.read(call, for: "instance", orFor: ["volume", "network-interface"])
        let volumeTags = try TagSpecifications.read(call, for: "volume", orFor: ["instance", "network-interface"])
        let count = try counts(call)
        var request = NewInstances(
            count: count, zone: try zone(call.parameters["Placement.AvailabilityZone"], call),
            kind: call.parameters["InstanceType"].flatMap { $0.isEmpty ? nil : $0 } ?? "m1.small",
            imageID: try image(call))
        request.tags = tags
        request.isKept = try call.parameters.flag("DisableApiTermination") ?? false
        request.attributes.isKeptRunning = try call.parameters.flag("DisableApiStop") ?? false
        request.attributes.userData = call.parameters["UserData"].flatMap { $0.isEmpty ? nil : $0 }
        if let word = call.parameters["InstanceInitiatedShutdownBehavior"] {
            request.attributes.endsOnShutdown = try InstanceAttribute.endsOnShutdown(word)
        }
        request.volumeTags = volumeTags
        let image = try await launchImage(request.imageID, call)
        for mapping in call.parameters.structures("BlockDeviceMapping") {
            if mapping["NoDevice"] != nil {
                request.leavingOut += mapping["DeviceName"].map { [$0] } ?? []
            } else if let disk = try await disk(mapping, of: image, call, volumeTags) {
                request.disks.append(disk)
            }
        }
        request.token = try token(call)
        try call.dryRun()
        let made: [InstanceView]
        do { made = try await call.verbs.instances.launch(request) } catch let error as ServiceError {
            guard error.code == .wrongState, error.noun == .image else { throw error }
            throw EC2Identifier.unavailableImage(request.imageID ?? "")
        }
        return .elements { writer in
            writer.add("reservationId", made[0].launchId)
            writer.add("ownerId", call.caller.account)
            writer.list("groupSet", [String]()) { $0.add("groupId", $1) }
            writer.list("instancesSet", made.indices) { writer, index in
                InstanceWords.write(made[index], .pending, index: index, call, isDescribed: false, into: &writer)
            }
        }
    }

    /// What is compared is all that was asked for, in whatever order.
    private static func token(_ call: EC2Call) throws(EC2Failure) -> RequestToken? {
        try call.parameters.clientToken().map {
            RequestToken($0, fingerprint: call.parameters.fingerprint(without: ["ClientToken", "DryRun", "Version"]))
        }
    }

    private static func counts(_ call: EC2Call) throws(EC2Failure) -> Int {
        let least = try call.parameters.number("MinCount"), most = try call.parameters.number("MaxCount")
        guard let least else { throw .missing("MinCount") }
        guard let most else { throw .missing("MaxCount") }
        guard least >= 1, most >= least else {
            throw .invalidValue(
                "Value (\(most)) for parameter maxCount is invalid. It must be at least minCount, which is at least 1.")
        }
        return most
    }

    private static func zone(_ name: String?, _ call: EC2Call) throws(EC2Failure) -> String? {
        guard let name, !name.isEmpty else { return nil }
        guard let zone = call.region.zone(name), zone.name == name else {
            throw EC2Failure("InvalidZone.NotFound", "The zone '\(name)' does not exist.")
        }
        return zone.name
    }

    private static func image(_ call: EC2Call) throws(EC2Failure) -> String? {
        guard let id = call.parameters["ImageId"], !id.isEmpty else { throw .missing("ImageId") }
        guard EC2Identifier.isForm(id, prefix: "ami-") else {
            throw EC2Failure("InvalidAMIID.Malformed", "Invalid id: \"\(id)\"")
        }
        return id
    }

    /// The image, if it is here and the caller may use it.
    private static func launchImage(_ id: String?, _ call: EC2Call) async throws -> ImageView? {
        guard let id else { return nil }
        do { return try await call.verbs.images.show(id) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            return nil
        }
    }

    /// One of `BlockDeviceMapping.N`; nil for one that names no EBS volume.
    private static func disk(
        _ mapping: RequestParameters, of image: ImageView?, _ call: EC2Call, _ tags: [String: String]
    ) async throws -> NewInstances.Disk? {
        guard let device = mapping["DeviceName"], !device.isEmpty else { throw EC2Failure.missing("DeviceName") }
        guard mapping.has("Ebs") else { return nil }
        let ebs = mapping.structure("Ebs")
        let own = ebs["SnapshotId"]?.isEmpty == false ? nil : image?.disk(named: device)
        let plan = try NewVolumePlan(ebs, tags: tags, over: own, call)
        return NewInstances.Disk(
            device: device, volume: try await plan.request(call),
            goesWithInstance: try ebs.flag("DeleteOnTermination") ?? own?.goesWithInstance ?? true)
    }

    // MARK: Looking

    private static let describeInstances: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let wanted = call.parameters.list("InstanceId")
        for id in wanted { try EC2Identifier.checkInstance(id) }
        let paging = try Paging(call, ids: wanted.isEmpty ? nil : "instancesSet")
        let filters = try Filters(call.parameters, known: InstanceWords.filters)
        var instances = try await call.verbs.instances.list().sorted { ($0.launchId, $0.id) < ($1.launchId, $1.id) }
        if !wanted.isEmpty {
            let known = Set(instances.map(\.id))
            if let unknown = wanted.first(where: { !known.contains($0) }) { throw EC2Identifier.noInstance(unknown) }
            instances = instances.filter { wanted.contains($0.id) }
        }
        instances = try instances.filter { instance in
            try filters.match(tags: Tag.all(instance.tags)) { InstanceWords.values(of: $0, instance) }
        }
        let page = paging.page(of: instances, call) { "\($0.launchId)/\($0.id)" }
        let launches = Dictionary(grouping: page.items, by: \.launchId).sorted { $0.key < $1.key }
        return .elements { writer in
            writer.list("reservationSet", launches) { writer, launch in
                writer.add("reservationId", launch.key)
                writer.add("ownerId", call.caller.account)
                writer.list("groupSet", [String]()) { $0.add("groupId", $1) }
                writer.list("instancesSet", launch.value.indices) { writer, index in
                    let instance = launch.value[index]
                    InstanceWords.write(
                        instance, InstanceWords.State(instance.state), index: index, call, isDescribed: true,
                        into: &writer)
                }
            }
            writer.add("nextToken", page.next)
        }
    }

    static func instanceIDs(_ call: EC2Call) throws(EC2Failure) -> [String] {
        let ids = call.parameters.list("InstanceId")
        guard !ids.isEmpty else { throw .missing("InstanceId") }
        for id in ids { try EC2Identifier.checkInstance(id) }
        return ids
    }

    /// The caller's instance, or Amazon's words that there is none.
    static func instance(_ id: String, _ call: EC2Call) async throws -> InstanceView {
        do { return try await call.verbs.instances.show(id) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw EC2Identifier.noInstance(id)
        }
    }

    // MARK: Changing

    /// Brings each of the named instances into another state: all that are named must exist.
    private static func change(
        _ call: EC2Call, verb: String, to state: InstanceWords.State,
        _ body: (InstanceService, String) async throws -> InstanceView
    ) async throws -> XMLWriter {
        try call.dryRun()
        let ids = try instanceIDs(call)
        var before: [InstanceView] = []
        for id in ids { before.append(try await instance(id, call)) }
        var changes: [(id: String, from: InstanceWords.State, to: InstanceWords.State)] = []
        for one in before {
            do {
                let after = try await body(call.verbs.instances, one.id)
                let isSame = after.state == one.state
                let from = InstanceWords.State(one.state)
                changes.append((one.id, from, isSame ? from : state))
            } catch let error as ServiceError {
                switch error.code {
                case .wrongState:
                    throw EC2Failure(
                        "IncorrectInstanceState",
                        "This instance '\(one.id)' is not in a state from which it can be \(verb).")
                case .locked:
                    throw EC2Failure(
                        "OperationNotPermitted",
                        "The instance '\(one.id)' may not be \(verb). Modify its "
                            + "'\(verb == "stopped" ? "disableApiStop" : "disableApiTermination")' instance attribute and try again."
                    )
                default: throw error
                }
            }
        }
        return .elements { writer in
            writer.list("instancesSet", changes) { writer, change in
                writer.add("instanceId", change.id)
                writer.add("currentState") { InstanceWords.write(change.to, into: &$0) }
                writer.add("previousState") { InstanceWords.write(change.from, into: &$0) }
            }
        }
    }
}
