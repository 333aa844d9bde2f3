using Sora.Layers;
using Sora.Text;
using Sora.Weights;

namespace Sora.Tests.Parity;

/// <summary>A folder with a text encoder, and calls of it with padded sequences.</summary>
internal static class TextEncoderParity
{
    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        UMT5Config config = UMT5Config.Load(Path.Combine(folder, "config.json"));
        using var encoder = new UMT5Encoder(config, Parameters(folder));
        foreach (string call in FixtureFolder.Calls(folder))
        {
            using DisposeScope scope = NewDisposeScope();
            using var reference = new ReferenceCase(call);
            Tensor ids = reference.Get("input_ids"), mask = reference.Get("attention_mask");
            Tensor vectors = encoder.Forward(ids, mask);
            CheckLayers(folder, config, reference, ids, mask);
            CloseWhereTokens(reference, "last_hidden_state", vectors, mask);

            Tensor zeroed = reference.Get("last_hidden_state") * mask.to(float32).unsqueeze(-1);
            reference.Close("last_hidden_state without padding", zeroed, encoder.Encode(ids, mask), reference.Tolerance());
        }
    }

    private static void CheckLayers(string folder, UMT5Config config, ReferenceCase reference, Tensor ids, Tensor mask)
    {
        using CheckpointParameters source = Parameters(folder);
        var parameters = new ParameterScope(source);
        Tensor table = parameters["shared"].Weight("weight", [config.VocabSize, config.DModel], Initialization.Zero);
        Tensor x = TableRows.Of(table, ids);
        var positions = new RelativePositions(mask, config);
        for (int i = 0; i < config.NumLayers && reference.Has($"mid.block{i}"); i++)
        {
            x = new UMT5Layer(parameters["encoder.block"][i]["layer"], config).Forward(x, positions);
            CloseWhereTokens(reference, $"mid.block{i}", x, mask);
        }
    }

    // Vectors of padding carry no meaning.
    private static void CloseWhereTokens(ReferenceCase reference, string name, Tensor actual, Tensor mask)
    {
        Tensor tokens = mask.to(float32).unsqueeze(-1);
        reference.Close(name, reference.Get(name) * tokens, actual * tokens, reference.Tolerance());
    }

    private static CheckpointParameters Parameters(string folder) =>
        new(folder, float32, CPU, CheckpointParameters.TextEncoderNames);
}
