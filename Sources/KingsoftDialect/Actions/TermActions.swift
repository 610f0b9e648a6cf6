internal import ControlPlane

/// How volumes would be paid for, and in which projects they are: kept, told, and of no consequence.
extension KingsoftDialect {
    static let termActions: [KingsoftAction] = [
        .change(.ebs, "ModifyDiskChargeType") { call in
            guard let type = try call.parameters.word("BillType", of: ["5", "87"]) else {
                throw KingsoftFailure.required("BillType")
            }
            let wanted = type == "5" ? Terms.daily : Terms.hourly
            return try await keep(call, .done) { terms in
                terms.type = wanted
                terms.months = nil
            }
        },
        .change(.ebs, "RenewVolume", renew),
        .look(
            .ebs, "DescribeCreateVolumePrice",
            knows: ["VolumeType", "Size", "AvailabilityZone", "ChargeType", "PurchaseTime"], describePrice),
        .change(.ebs, "UpdateVolumeProject") { call in
            guard let project = try Terms.project(call.parameters) else { throw KingsoftFailure.required("ProjectId") }
            return try await keep(call, .done, onlyAvailable: true) { $0.project = project }
        },
        .change(.iam, "UpdateInstanceProjectId", updateProject),
        .look(
            .iam, "GetAccountAllProjectList", knows: [], lacks: "project 0, and those that something was put in"
        ) { call in
            let used = try await call.verbs.volumes.list().map { Terms($0.keepsakes).project }
            let others = try await call.verbs.instances.list().map { Terms($0.keepsakes).project }
            let projects = Set(used + others + [0]).sorted()
            return .with { fields in
                fields.add(
                    "ListProjectResult",
                    .with { result in
                        result.add("Total", projects.count)
                        result.add("ProjectList", projects.map { project($0, call.caller.account) })
                    })
            }
        },
    ]

    private static func project(_ number: Int, _ account: String) -> KingsoftFields {
        .with { one in
            one.add("ProjectId", number)
            one.add("AccountId", account)
            one.add("ProjectName", number == 0 ? "default" : "project-\(number)")
            one.add("ProjectDesc", "")
            one.add("Status", 1)
        }
    }

    /// Changes the terms of each named volume, of all or, where one is not there, of none.
    private static func keep(
        _ call: KingsoftCall, _ answer: KingsoftFields, onlyAvailable: Bool = false,
        _ body: @escaping @Sendable (inout Terms) -> Void
    ) async throws -> KingsoftFields {
        let uuids = call.parameters.list("VolumeId")
        guard !uuids.isEmpty else { throw KingsoftFailure.required("VolumeId") }
        guard uuids.count <= 100 else { throw KingsoftFailure.wrong("VolumeId", "At most 100 are allowed.") }
        var volumes: [VolumeView] = []
        for uuid in uuids { volumes.append(try await call.volume(uuid: uuid)) }
        if onlyAvailable, let busy = volumes.first(where: { $0.state != .available }) {
            throw statusError(busy, allowed: "available")
        }
        try call.dryRun()
        for volume in volumes { try await change(volume.id, call, body) }
        return answer
    }

    private static func change(
        _ id: String, _ call: KingsoftCall, _ body: @escaping @Sendable (inout Terms) throws -> Void
    ) async throws {
        _ = try await call.verbs.volumes.keep(id) { kept in
            var terms = Terms(kept)
            try body(&terms)
            terms.write(to: &kept)
        }
    }

    private static let renew: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        guard let months = try call.parameters.number("PurchaseTime", in: 1...36) else {
            throw KingsoftFailure.required("PurchaseTime")
        }
        let volume = try await call.volume()
        let add: @Sendable (inout Terms) throws -> Void = { terms in
            guard terms.type == Terms.monthly, let present = terms.months else {
                throw KingsoftFailure.wrong("VolumeId", "It is not paid by month, so that nothing is to be renewed.")
            }
            guard present + months <= Terms.monthsMax else {
                throw KingsoftFailure.wrong("PurchaseTime", "Together they are more than \(Terms.monthsMax) months.")
            }
            terms.months = present + months
        }
        var terms = Terms(volume.keepsakes)
        try add(&terms)
        try call.dryRun()
        try await change(volume.id, call, add)
        return .with { $0.add("PaidMoney", 0) }
    }

    /// What the server's price table says: of the months, of a day, or of an hour. Without one nothing costs anything.
    private static let describePrice: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        guard let kind = try VolumeTypes.kind("VolumeType", call) else { throw KingsoftFailure.required("VolumeType") }
        guard let size = try call.parameters.number("Size", in: 1...65_536) else {
            throw KingsoftFailure.required("Size")
        }
        _ = try profile(kind, size, KingsoftParameters())
        let terms = try Terms(call.parameters), prices = try await call.verbs.usage.prices()
        let perMonth = Double(size) * (prices.price(of: .volume, kind.name, in: call.region.name) ?? 0)
        let price =
            switch terms.type {
            case Terms.monthly: perMonth * Double(terms.months ?? 1)
            case Terms.hourly: perMonth / PriceTable.monthHours
            default: perMonth * 24 / PriceTable.monthHours
            }
        return .with { fields in
            fields.add(
                "VolumePrice",
                .with { one in
                    one.add("CurrencyUnit", prices.currency.isEmpty ? "RMB" : prices.currency)
                    one.add("TradePrice", .amount(price))
                    one.add("OriginalPrice", .amount(price))
                    one.add("DiscountPrice", .amount(0))
                })
        }
    }

    /// Of a volume, or of an instance: which of them has the id.
    private static let updateProject: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        guard let project = try Terms.project(call.parameters) else { throw KingsoftFailure.required("ProjectId") }
        let uuid = try call.parameters.required("InstanceId")
        do {
            let volume = try await call.volume(uuid: uuid)
            try call.dryRun()
            try await change(volume.id, call) { $0.project = project }
            return .done
        } catch let failure as KingsoftFailure where failure == .noVolume {
        } catch let error as ServiceError where error.code == .missing {}
        let instance = try await call.instance()
        try call.dryRun()
        _ = try await call.verbs.instances.keep(instance.id) { kept in
            var terms = Terms(kept)
            terms.project = project
            terms.write(to: &kept)
        }
        return .done
    }
}
