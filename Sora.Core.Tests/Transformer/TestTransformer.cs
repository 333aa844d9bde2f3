using Sora.Tests.Text;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Tests.Transformer;

/// <summary>The small transformer of the fixtures, all of whose parameters are random.</summary>
internal static class TestTransformer
{
    private static string Folder => TestFiles.Folder("A_transformer_t2v");

    public static WanTransformerConfig Config => WanTransformerConfig.Load(Path.Combine(Folder, "config.json"));

    public static DiffusionTransformer Load() => new(Config, new CheckpointParameters(Folder, float32, CPU));
}
