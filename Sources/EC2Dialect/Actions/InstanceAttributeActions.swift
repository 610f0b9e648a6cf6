internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let instanceAttributeActions = [
        EC2Action(
            "DescribeInstanceAttribute", isChange: false, lacks: "kernels and what is about networks", describeAttribute
        ),
        EC2Action(
            "ModifyInstanceAttribute", isChange: true,
            lacks: "all but type, user data, protections, shutdown behaviour and DeleteOnTermination is refused",
            modifyAttribute),
        EC2Action(
            "DescribeInstanceTypes", isChange: false,
            lacks: "processors, memory, networks and filters by them: a type is what its owner calls a host"
        ) { call in
            try call.dryRun()
            let filters = try Filters(call.parameters, known: ["current-generation", "instance-type"])
            let named = call.parameters.list("InstanceType")
            let known = named.isEmpty ? try await call.verbs.instances.list().map(\.kind) : named
            let kinds = try Set(known).sorted().filter { kind in
                try filters.match(tags: []) { name in
                    switch name {
                    case "instance-type": [kind]
                    case "current-generation": ["true"]
                    default: []
                    }
                }
            }
            return .elements { writer in
                writer.list("instanceTypeSet", kinds) { writer, kind in
                    writer.add("instanceType", kind)
                    writer.add("currentGeneration", true)
                    writer.add("instanceStorageSupported", false)
                    writer.add("burstablePerformanceSupported", isBurstable(kind))
                    writer.add("ebsInfo") { writer in
                        writer.add("ebsOptimizedSupport", "unsupported")
                        writer.add("encryptionSupport", "supported")
                        writer.add("nvmeSupport", "unsupported")
                    }
                }
            }
        },
        EC2Action("DescribeInstanceCreditSpecifications", isChange: false, lacks: "`unlimited`: no credits are counted")
        { call in
            try call.dryRun()
            _ = try Filters(call.parameters, known: ["instance-id"])
            // Without ids Amazon tells those that are `unlimited`: none is.
            let ids = call.parameters.list("InstanceId")
            for id in ids { try EC2Identifier.checkInstance(id) }
            for id in ids { _ = try await instance(id, call) }
            return .elements { writer in
                writer.list("instanceCreditSpecificationSet", ids) { writer, id in
                    writer.add("instanceId", id)
                    writer.add("cpuCredits", "standard")
                }
            }
        },
        EC2Action("DescribeVpcs", isChange: false, lacks: "networks: there are none") { call in
            try call.dryRun()
            if let id = call.parameters.list("VpcId").first {
                throw EC2Failure("InvalidVpcID.NotFound", "The vpc ID '\(id)' does not exist")
            }
            return .elements { $0.list("vpcSet", [String]()) { $0.add("vpcId", $1) } }
        },
        EC2Action("GetInstanceUefiData", isChange: false, lacks: "UEFI variables: no instance has any") { call in
            try call.dryRun()
            let id = call.parameters["InstanceId"] ?? ""
            // Terraform asks with an image's id, and expects this answer.
            if EC2Identifier.isForm(id, prefix: "ami-") { throw EC2Identifier.noInstance(id) }
            let instance = try await instance(try instanceID(call), call)
            return .elements { writer in
                writer.add("instanceId", instance.id)
                writer.add("uefiData", "")
            }
        },
    ]

    /// Has a type of this name credits, as Amazon names them? `t3.micro` has.
    private static func isBurstable(_ kind: String) -> Bool {
        kind.hasPrefix("t") && kind.dropFirst().first?.isNumber == true
    }

    // MARK: Attributes

    private static let describeAttribute: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try instanceID(call)
        let attribute = try InstanceAttribute(call.parameters["Attribute"])
        let instance = try await instance(id, call)
        let attributes = try await call.verbs.instances.attributes(of: id)
        return .elements { writer in
            writer.add("instanceId", id)
            attribute.write(instance, attributes, into: &writer)
        }
    }

    private static let modifyAttribute: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try instanceID(call)
        let change = try InstanceAttribute.change(call.parameters)
        _ = try await instance(id, call)
        do { try await call.verbs.instances.change(id, change) } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.missing, .attachment), (.invalid, .attachment):
                throw EC2Failure("InvalidInstanceAttributeValue", "No device is currently mapped: \(error.message)")
            case (.wrongState, _):
                throw EC2Failure(
                    "IncorrectInstanceState", "The instance '\(id)' is not in a state from which it can be modified.")
            default: throw error
            }
        }
        return .done
    }
}
