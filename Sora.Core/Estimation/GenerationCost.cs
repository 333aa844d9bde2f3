using System.Globalization;
using Sora.Latents;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Estimation;

/// <summary>The operations and the memory of requests to one model.</summary>
internal sealed class GenerationCost
{
    private readonly ModelFolder _folder;
    private readonly bool _keep;
    private readonly bool _retries;
    private readonly Func<long, bool> _streams;
    private readonly ActivationMemory _activations;
    private readonly NetworkWeights _text;
    private readonly NetworkWeights[] _experts;
    private readonly NetworkWeights _vae;
    private readonly DecodingTiles _tiles;

    /// <param name="folder">The model.</param>
    /// <param name="type">The type of matrix products.</param>
    /// <param name="keep">Whether parts stay in memory after their stage.</param>
    /// <param name="streams">Whether a network with so many bytes of weights is read layer by layer.</param>
    /// <param name="vaeTileSize">The largest side in pixels of the autoencoder's tiles; 0: none, null: what fits.</param>
    /// <param name="int8">Whether the transformers' blocks are in 8 bits; they are then not read layer by layer.</param>
    public GenerationCost(ModelFolder folder, ScalarType type, bool keep, Func<long, bool> streams, int? vaeTileSize = null, bool int8 = false)
    {
        (_folder, _keep, _retries, _streams) = (folder, keep, type != float32, streams);
        _activations = new(type == float32 ? 4 : 2);
        _tiles = new(folder.Vae, vaeTileSize, _activations);
        _text = NetworkWeights.Of(type, "encoder.block", source => new UMT5Encoder(folder.TextEncoder, source).Parameters);
        WanTransformerConfig[] experts = folder.Transformer2 is { } second ? [folder.Transformer, second] : [folder.Transformer];
        _experts = [.. experts.Select(config => NetworkWeights.Of(type, "blocks", source => new DiffusionTransformer(config, source).Parameters, int8))];
        _vae = NetworkWeights.Of(type, null, source => new VideoAutoencoder(folder.Vae, source).Parameters);
    }

    /// <summary>The patches of a resolved request's video.</summary>
    public long Tokens(VideoRequest request)
    {
        LatentShape latent = LatentShape.Of(request, _folder.Vae);
        ValueList<int> patch = _folder.Transformer.PatchSize;
        return (long)(latent.T / patch[0]) * (latent.H / patch[1]) * (latent.W / patch[2]);
    }

    /// <summary>Operations of the text encoder, the transformer and the decoder.</summary>
    /// <param name="request">A resolved request.</param>
    /// <param name="steps">The steps at which the transformer is evaluated.</param>
    /// <param name="guidance">The guidance of each expert.</param>
    public (double Text, double Transformer, double Decoder) Operations(VideoRequest request, IReadOnlyList<SamplingStep> steps, IReadOnlyList<Guidance> guidance)
    {
        double n = Tokens(request), l = TextTokens, m = ImageTokens;
        int prompts = guidance.Any(g => g.IsOn) ? 2 : 1;
        double boundary = (_folder.Index.BoundaryRatio ?? 0) * _folder.Scheduler.NumTrainTimesteps;
        double transformer = 0;
        foreach (IGrouping<int, SamplingStep> part in steps.GroupBy(step => _experts.Length == 2 && step.Time < boundary ? 1 : 0))
        {
            WanTransformerConfig config = part.Key == 0 ? _folder.Transformer : _folder.Transformer2!;
            Guidance own = guidance[Math.Min(part.Key, guidance.Count - 1)];
            transformer += TransformerOperations.Preparation(config, own.IsOn ? 2 : 1, l);
            transformer += part.Sum(step => TransformerOperations.Evaluation(config, own.IsOnAt(step.Sigma) ? 2 : 1, n, l, m));
        }
        LatentShape latent = LatentShape.Of(request, _folder.Vae);
        double decoder = new DecoderCost(_folder.Vae, latent.H, latent.W, first: true).Operations
            + ((latent.T - 1) * new DecoderCost(_folder.Vae, latent.H, latent.W, first: false).Operations);
        return (prompts * TextEncoderOperations.Prompt(_folder.TextEncoder, l), transformer, decoder);
    }

    /// <summary>The memory of a resolved request's stages.</summary>
    /// <param name="request">The request.</param>
    /// <param name="branches">2 under guidance, else 1.</param>
    /// <param name="available">The memory that there is, within which the autoencoder works in tiles if it must; null: not known.</param>
    public IReadOnlyList<StageMemory> Memory(VideoRequest request, int branches, long? available)
    {
        LatentShape latent = LatentShape.Of(request, _folder.Vae);
        long text = _activations.Text(_folder.TextEncoder, TextTokens);
        long denoising = _activations.Denoising(_folder.Transformer, branches, Tokens(request), TextTokens + ImageTokens);
        // What the step cache keeps, and the stream behind the first block beside them.
        denoising += request.StepCache > 0 ? 3 * branches * Tokens(request) * _folder.Transformer.InnerDim * sizeof(float) : 0;
        long decoding = _activations.Decoding(_folder.Vae, latent, request.FrameCount!.Value, Tiles(request, available), again: request.FirstLatentFrame > 0 && _retries);
        NetworkWeights largest = _experts.MaxBy(expert => expert.Whole)!;
        var stages = new List<StageMemory> { Stage(GenerationStage.EncodingText, _text, text) };
        // Windows of a long video begin with a picture.
        if (request.KnownFrames.Count > 0 || request.Source is not null || request.Draft is not null || request.FirstLatentFrame > 0)
            stages.Add(new(GenerationStage.EncodingFrames, 2 * _vae.Whole, decoding, false));
        stages.Add(Stage(GenerationStage.Denoising, largest, denoising));
        stages.Add(new(GenerationStage.Decoding, 2 * _vae.Whole, decoding, false));
        return stages;
    }

    /// <summary>
    /// The memory of the stages of resolved requests as one packed batch: they share the denoising, and take the other stages one
    /// after the other.
    /// </summary>
    /// <param name="batch">The requests and their branches.</param>
    /// <param name="available">The memory that there is; null: not known.</param>
    public IReadOnlyList<StageMemory> Memory(IReadOnlyList<(VideoRequest Request, int Branches)> batch, long? available) =>
    [
        .. batch.SelectMany(one => Memory(one.Request, one.Branches, available)).GroupBy(stage => stage.Stage).OrderBy(stages => stages.Key).Select(stages => stages.First() with
        {
            Activations = stages.Key == GenerationStage.Denoising ? stages.Sum(stage => stage.Activations) : stages.Max(stage => stage.Activations),
        }),
    ];

    /// <summary>The tiles in which the autoencoder works on a resolved request's frames.</summary>
    /// <param name="request">The request.</param>
    /// <param name="available">The memory that there is; null: not known, and no reason for tiles.</param>
    public SpatialTiles Tiles(VideoRequest request, long? available)
    {
        long weights = 2 * _vae.Whole;
        if (_keep)
            weights += InMemory(_text) + _experts.Sum(InMemory);
        return _tiles.Choose(LatentShape.Of(request, _folder.Vae), request.FrameCount!.Value, available - weights);
    }

    /// <summary>The memory at the peak of those stages.</summary>
    public long Peak(IReadOnlyList<StageMemory> stages) => !_keep ? stages.Max(stage => stage.Total)
        : stages.Max(stage => stage.Activations)
            + stages.Where(stage => stage.Stage is GenerationStage.EncodingText or GenerationStage.Decoding).Sum(stage => stage.Weights)
            + _experts.Sum(InMemory);

    /// <summary>The bytes of the parts that are loaded.</summary>
    public long WeightsOf(bool text, IReadOnlyList<bool> experts, bool vae) =>
        (text ? InMemory(_text) : 0) + experts.Select((loaded, i) => loaded ? InMemory(_experts[i]) : 0).Sum() + (vae ? _vae.Whole : 0);

    /// <summary>Requires that a resolved request fits into memory.</summary>
    /// <exception cref="SoraException">It does not; the message names the stage, the numbers and the nearest sizes that fit.</exception>
    public void RequireFits(VideoRequest request, int branches, long available)
    {
        IReadOnlyList<StageMemory> stages = Memory(request, branches, available);
        long peak = Peak(stages);
        if (peak <= available)
            return;
        StageMemory largest = stages.MaxBy(stage => stage.Total)!;
        VideoRequest[] nearest = [.. Nearest(request, branches, available)];
        string allowed = nearest.Length == 0 ? "no size of this model fits" : "nearest that fit: " + string.Join(", ", nearest.Select(Name));
        throw new SoraException($"{Name(request)} takes {Gigabytes(peak)} of memory ({StageName(largest.Stage)}: weights {Gigabytes(largest.Weights)}, "
            + $"activations {Gigabytes(largest.Activations)}) and {Gigabytes(available)} are available; {allowed}.");
    }

    // The same size with the most frames that fit, and the largest of about the same shape with as many frames.
    private IEnumerable<VideoRequest> Nearest(VideoRequest request, int branches, long available)
    {
        bool Fits(VideoRequest smaller) => Peak(Memory(smaller, branches, available)) <= available;
        int stride = _folder.Limits.SpatialStride, temporal = _folder.Limits.TemporalStride;
        int width = request.Width!.Value, height = request.Height!.Value, frames = request.FrameCount!.Value;
        // Frames take memory each, so the lengths that fit are the short ones; there may be a million.
        int fits = -1, tooLong = (frames - 1) / temporal;
        while (tooLong - fits > 1)
        {
            int middle = fits + ((tooLong - fits) / 2);
            if (Fits(request with { FrameCount = 1 + (middle * temporal) }))
                fits = middle;
            else
                tooLong = middle;
        }
        if (fits >= 0)
            yield return request with { FrameCount = 1 + (fits * temporal) };
        for (int lower = height - stride; lower >= stride; lower -= stride)
        {
            int narrower = Math.Max(stride, (int)Math.Round((double)width * lower / height / stride) * stride);
            VideoRequest smaller = request with { Width = narrower, Height = lower };
            if (!Fits(smaller))
                continue;
            yield return smaller;
            break;
        }
    }

    // Prompts are padded to the same length whatever they say.
    private int TextTokens => _folder.Defaults.MaxSequenceLength;

    private long ImageTokens => _folder.Transformer.ImageDim is null ? 0
        : _folder.Transformer.PosEmbedSeqLen ?? (_folder.ImageEncoder is { } images ? (long)(images.ImageSize / images.PatchSize * (images.ImageSize / images.PatchSize)) + 1 : 0);

    private long InMemory(NetworkWeights weights) => Streams(weights) ? weights.Streamed : weights.Whole;

    private bool Streams(NetworkWeights weights) => weights.Streamed < weights.Whole && _streams(weights.Whole);

    private StageMemory Stage(GenerationStage stage, NetworkWeights weights, long activations) =>
        Streams(weights) ? new(stage, weights.Streamed, activations, true) : new(stage, weights.Whole, activations, false);

    private static string StageName(GenerationStage stage) => stage switch
    {
        GenerationStage.EncodingText => "encoding the text",
        GenerationStage.EncodingFrames => "encoding frames",
        GenerationStage.Denoising => "denoising",
        _ => "decoding",
    };

    private static string Name(VideoRequest request) => $"{request.Width}x{request.Height} with {request.FrameCount} frame{(request.FrameCount == 1 ? "" : "s")}";

    private static string Gigabytes(long bytes) => bytes >= 100_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.00} MB");
}
