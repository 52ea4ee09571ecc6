package spirv

import "strconv"

// Opcodes that the package and its users look at. The numbers are those of
// the specification's section 3.
const (
	OpNop                             = 0
	OpSourceContinued                 = 2
	OpSource                          = 3
	OpSourceExtension                 = 4
	OpName                            = 5
	OpMemberName                      = 6
	OpString                          = 7
	OpLine                            = 8
	OpExtension                       = 10
	OpExtInstImport                   = 11
	OpExtInst                         = 12
	OpMemoryModel                     = 14
	OpEntryPoint                      = 15
	OpExecutionMode                   = 16
	OpCapability                      = 17
	OpTypeVoid                        = 19
	OpTypeBool                        = 20
	OpTypeInt                         = 21
	OpTypeFloat                       = 22
	OpTypeVector                      = 23
	OpTypeMatrix                      = 24
	OpTypeImage                       = 25
	OpTypeSampler                     = 26
	OpTypeSampledImage                = 27
	OpTypeArray                       = 28
	OpTypeRuntimeArray                = 29
	OpTypeStruct                      = 30
	OpTypeOpaque                      = 31
	OpTypePointer                     = 32
	OpTypeFunction                    = 33
	OpTypePipe                        = 38
	OpTypeForwardPointer              = 39
	OpConstantTrue                    = 41
	OpConstantFalse                   = 42
	OpConstant                        = 43
	OpConstantComposite               = 44
	OpConstantNull                    = 46
	OpSpecConstantTrue                = 48
	OpSpecConstantFalse               = 49
	OpSpecConstant                    = 50
	OpSpecConstantComposite           = 51
	OpSpecConstantOp                  = 52
	OpFunction                        = 54
	OpFunctionParameter               = 55
	OpFunctionEnd                     = 56
	OpFunctionCall                    = 57
	OpVariable                        = 59
	OpLoad                            = 61
	OpStore                           = 62
	OpAccessChain                     = 65
	OpDecorate                        = 71
	OpMemberDecorate                  = 72
	OpDecorationGroup                 = 73
	OpGroupDecorate                   = 74
	OpGroupMemberDecorate             = 75
	OpCompositeConstruct              = 80
	OpCompositeExtract                = 81
	OpCopyObject                      = 83
	OpIEqual                          = 170
	OpControlBarrier                  = 224
	OpMemoryBarrier                   = 225
	OpPhi                             = 245
	OpLoopMerge                       = 246
	OpSelectionMerge                  = 247
	OpLabel                           = 248
	OpBranch                          = 249
	OpBranchConditional               = 250
	OpSwitch                          = 251
	OpKill                            = 252
	OpReturn                          = 253
	OpReturnValue                     = 254
	OpUnreachable                     = 255
	OpNoLine                          = 317
	OpModuleProcessed                 = 330
	OpExecutionModeId                 = 331
	OpDecorateId                      = 332
	OpTerminateInvocation             = 4416
	OpTypeCooperativeMatrixKHR        = 4456
	OpCooperativeMatrixPerElementOpNV = 5369
	OpDecorateString                  = 5632
	OpMemberDecorateString            = 5633
)

// Decorations, section 3.20.
const (
	DecorationSpecId        = 1
	DecorationBlock         = 2
	DecorationBufferBlock   = 3
	DecorationRowMajor      = 4
	DecorationColMajor      = 5
	DecorationArrayStride   = 6
	DecorationMatrixStride  = 7
	DecorationBuiltIn       = 11
	DecorationNonWritable   = 24
	DecorationNonReadable   = 25
	DecorationBinding       = 33
	DecorationDescriptorSet = 34
	DecorationOffset        = 35
)

// BuiltInWorkgroupSize is the built-in that overrides LocalSize, section 3.21.
const BuiltInWorkgroupSize = 25

// Storage classes, section 3.7.
const (
	StorageUniformConstant       = 0
	StorageInput                 = 1
	StorageUniform               = 2
	StorageOutput                = 3
	StorageWorkgroup             = 4
	StoragePrivate               = 6
	StorageFunction              = 7
	StoragePushConstant          = 9
	StorageStorageBuffer         = 12
	StoragePhysicalStorageBuffer = 5349
)

// Execution models and modes, sections 3.3 and 3.6.
const (
	ModelGLCompute  = 5
	ModeLocalSize   = 17
	ModeLocalSizeId = 38
)

// OpcodeName gives an opcode's name, or "Op" and its number.
func OpcodeName(op uint16) string {
	if s, ok := opNames[op]; ok {
		return s
	}
	return "Op" + strconv.Itoa(int(op))
}
