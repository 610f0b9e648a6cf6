internal import ControlPlane

extension ECSDialect {
    static let resourceGroupActions = [
        ECSAction("JoinResourceGroup", isChange: true, joinResourceGroup)
    ]

    private static let joinResourceGroup: @Sendable (ECSCall) async throws -> ECSFields = { call in
        for name in ["ResourceType", "ResourceId", "ResourceGroupId"] where call.parameters[name] == nil {
            throw ECSFailure(403, "MissingParameter", ECSFailure.missing(name).message)
        }
        let kind = try resourceKind(call)
        let group = try ResourceGroups.wanted(call)
        let missing = ECSFailure(
            404, "InvalidResourceId.NotFound", "The ResourceId provided does not exist in our records.")
        guard let object = ECSID.native(try call.parameters.needed("ResourceId"), kind) else { throw missing }
        try call.dryRun()
        do { try await call.verbs.resourceGroups.move(object, to: group) } catch let error as ServiceError {
            switch error.code {
            case .missing: throw missing
            case .inUse:
                throw ECSFailure(
                    403, "InvalidResourceGroup.Duplicate",
                    "The ResourceId provided has a ResourceGroup in our records.")
            default: throw error
            }
        }
        return ECSFields()
    }
}
