namespace Sora.Transformer;

/// <summary>A transformer that takes the steps of a range of times: the only one of a model, or one of two (Wan 2.2 A14B).</summary>
/// <param name="Network">The transformer.</param>
/// <param name="LowestTime">It takes the steps whose time is at least this, up to those of the expert before it.</param>
internal sealed record Expert(ModelPart<DiffusionTransformer> Network, double LowestTime);
