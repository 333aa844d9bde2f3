using Sora.Layers;
using Sora.Text;
using Sora.Weights;

namespace Sora.Training.FineTuning;

/// <summary>The text encoder's vectors of captions, each computed once; the encoder itself is not kept.</summary>
internal sealed class CaptionVectors : IDisposable
{
    private readonly Dictionary<string, Tensor> _vectors = [];
    private readonly ScalarType _type;

    private CaptionVectors(ScalarType type) => _type = type;

    /// <summary>Encodes all captions, and the empty one.</summary>
    /// <exception cref="SoraException">The encoder cannot be loaded.</exception>
    public static CaptionVectors Encode(ModelFolder model, IEnumerable<string> captions, ScalarType computeType, Device device, Action<string> log, CancellationToken cancellationToken)
    {
        var vectors = new CaptionVectors(computeType);
        using var parameters = new CheckpointParameters(model.OpenWeights("text_encoder"), computeType, device, CheckpointParameters.TextEncoderNames);
        using var encoder = new UMT5Encoder(model.TextEncoder, parameters);
        var prompts = new PromptEncoder(new(model.OpenTokenizer()), encoder, model.Defaults.MaxSequenceLength, device);
        string[] distinct = [.. captions.Append("").Distinct()];
        log($"encoding {distinct.Length} captions");
        foreach (string caption in distinct)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Tensor text = Finite.Require(prompts.Encode(caption, cut => log(CutNote.Of(cut))), "The text encoder");
            // Half the memory where the transformer rounds them anyway.
            vectors._vectors.Add(caption, text.to(computeType).cpu().DetachFromDisposeScope());
        }
        return vectors;
    }

    /// <summary>The vectors [B, L, D], float32, of captions that were encoded.</summary>
    public Tensor Of(IEnumerable<string> captions, Device device) => cat([.. captions.Select(caption => _vectors[caption])], 0).to(device).to(float32);

    /// <summary>Frees the vectors.</summary>
    public void Dispose()
    {
        foreach (Tensor vectors in _vectors.Values)
            vectors.Dispose();
    }
}
