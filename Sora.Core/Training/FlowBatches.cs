using System.Globalization;
using Sora.Training.Data;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>Chooses where a flow training's batches come from.</summary>
internal static class FlowBatches
{
    /// <summary>
    /// The drawn world in one shape with its latents in memory; with <see cref="FlowTrainingConfig.Shapes"/> or a folder of
    /// videos, clips of their own shapes, packed, with their latents on disk.
    /// </summary>
    /// <param name="config">The training.</param>
    /// <param name="world">The drawn world; null where the data are a folder.</param>
    /// <param name="captioner">Writes a detailed caption for each clip of a folder; null: those of the folder alone.</param>
    /// <param name="computeType">The autoencoder's type of products.</param>
    /// <param name="log">Told what is read, passed over and encoded.</param>
    /// <param name="cancellationToken">Stops between clips; what is encoded by then is kept.</param>
    /// <exception cref="SoraException">The data or the autoencoder cannot be used.</exception>
    public static IFlowBatches Open(FlowTrainingConfig config, World? world, ICaptioner? captioner, ScalarType computeType, Action<string> log, CancellationToken cancellationToken)
    {
        AutoencoderKLWanConfig vaeConfig = AutoencoderKLWanConfig.Load(Path.Combine(config.VaeFolder, "config.json"));
        VideoAutoencoder LoadVae() => new(vaeConfig, new CheckpointParameters(config.VaeFolder, computeType, CPU));
        if (!config.SemanticMap && config.MapGain > 1)
            throw new SoraException(FormattableString.Invariant($"map_gain is {config.MapGain} and there is no map; set semantic_map, or leave out map_gain."));
        // By the gain a sampler tells the map's channels from those before them.
        if (config is { SemanticMap: true, MapGain: 1, Details.Regressed: true })
            throw new SoraException("details.regressed needs a map_gain above 1 where there is a semantic_map, and map_gain is 1; set it to 16 in map_gain, or leave out regressed.");
        if (config.Transformer.MapHarmonics is { } harmonics && !(config.SemanticMap && config.Transformer.MapGain == config.MapGain))
        {
            throw new SoraException(FormattableString.Invariant(
                $"transformer.map_harmonics is {harmonics} with a map_gain of {config.Transformer.MapGain}, and the training has semantic_map {config.SemanticMap} and map_gain {config.MapGain}; ")
                + "set semantic_map and the same gain in both places, or leave out map_harmonics.");
        }
        RequireChannels(config, vaeConfig);
        if (config.Data.Folder is null && config.Shapes is null)
            return OfOneShape(config, Require(world), vaeConfig, LoadVae, log, cancellationToken);

        if (config.CloseUps is not null)
            throw new SoraException("close_ups are cut out of pictures of one shape: leave out shapes and data.folder, or close_ups.");
        if (config.Emphasis is not null)
            throw new SoraException("emphasis is for clips of one shape: leave out shapes and data.folder, or emphasis.");
        if (config.TiltedShare > 0)
            throw new SoraException("tilted_share is for clips of one shape: leave out shapes and data.folder, or tilted_share.");
        if (config.Native is not null)
            throw new SoraException("native are clips besides those of one shape: leave out shapes and data.folder, or native.");
        if (config.SemanticMap && config.Data.Folder is { } unknown)
            throw new SoraException($"semantic_map is known of the drawn world, and data is the folder {unknown}; leave out semantic_map.");
        var strides = ClipStrides.Of(vaeConfig, config.Transformer);
        ClipShapes shapes = config.Shapes ?? new();
        IClipSource clips = config.Data.Folder is { } folder
            ? VideoFolder.Open(
                new(folder, strides)
                {
                    Shapes = shapes,
                    FrameRate = config.FramesPerSecond,
                    CutThreshold = config.Data.CutThreshold,
                    LongestCaption = config.Data.LongestCaption,
                    ScanFile = Path.Combine(config.RunFolder, "scans.json"),
                },
                log, cancellationToken)
            : new SpriteClipSource(Require(world), shapes, strides, config.FramesPerSecond, config.Clips, config.Pictures, config.Seed);
        if (captioner is not null)
            clips = RecaptionedClips.Open(clips, captioner, Path.Combine(config.RunFolder, "captions.json"), log, cancellationToken);
        // The world has clips without end; of a folder some are kept apart.
        IClipSource? validation = config.Data.Folder is not null || !config.Validates ? null
            : new SpriteClipSource(Require(world), shapes, strides, config.FramesPerSecond, config.ValidationClips, 0, config.Seed + 2);
        return Packed(config, clips, validation, vaeConfig, LoadVae, log, cancellationToken);
    }

    private static IFlowBatches OfOneShape(
        FlowTrainingConfig config, World world, AutoencoderKLWanConfig vaeConfig, Func<VideoAutoencoder> loadVae, Action<string> log, CancellationToken cancellationToken)
    {
        RequireShape(config, vaeConfig);
        FlowTrainingConfig? own = null;
        SpriteClipSource? clips = null;
        if (config.Native is { } native)
        {
            // Of a seed of their own, so that they are other clips. What cannot be is refused before anything is encoded.
            own = config with { Shapes = native.Shapes, Clips = native.Clips, Pictures = native.Pictures, ValidationClips = 0, Seed = config.Seed + 4 };
            World shown = native.World is { } name ? new(SpriteWorldConfig.Find(name), world.Atlas) : world;
            clips = new(shown, native.Shapes, ClipStrides.Of(vaeConfig, config.Transformer), config.FramesPerSecond, own.Clips, own.Pictures, own.Seed);
            PackedBatches.RequireFit(own, clips, vaeConfig);
        }
        EqualShapeBatches batches;
        using (VideoAutoencoder vae = loadVae())
            batches = new(config, world, vae, log, cancellationToken);
        try
        {
            return own is null ? batches : new MixedBatches(batches, Packed(own, clips!, null, vaeConfig, loadVae, log, cancellationToken), config.Native!.Share);
        }
        catch
        {
            batches.Dispose();
            throw;
        }
    }

    // Before hours of encoding.
    private static void RequireShape(FlowTrainingConfig config, AutoencoderKLWanConfig vae)
    {
        ClipShape shape = config.Shape;
        ValueList<int> patch = config.Transformer.PatchSize;
        int across = vae.SpatialStride * patch[2], down = vae.SpatialStride * patch[1], latents = ((shape.Frames - 1) / vae.TemporalStride) + 1;
        if (shape.Width < across || shape.Width % across != 0 || shape.Height < down || shape.Height % down != 0
            || shape.Frames < 1 || (shape.Frames - 1) % vae.TemporalStride != 0 || latents % patch[0] != 0)
        {
            throw new SoraException($"shape is {shape}; for this autoencoder and transformer width is a multiple of {across} and height of {down}, and frames are {vae.TemporalStride}n + 1"
                + (patch[0] == 1 ? "." : $" with a multiple of {patch[0]} latent frames."));
        }
        int tokens = latents / patch[0] * (shape.Height / down) * (shape.Width / across);
        if (tokens > config.TokensPerStep)
            throw new SoraException($"tokens_per_step {config.TokensPerStep} is less than the {tokens} tokens of a clip of {shape}; nearest: {tokens}.");
    }

    // Clips of their own shapes.
    private static PackedBatches Packed(
        FlowTrainingConfig config, IClipSource clips, IClipSource? validation, AutoencoderKLWanConfig vaeConfig, Func<VideoAutoencoder> loadVae, Action<string> log,
        CancellationToken cancellationToken)
    {
        var cache = LatentCache.Open(config.LatentFolder ?? Path.Combine(config.RunFolder, "latents"), config.VaeFolder, log);
        try
        {
            EncodedClips encoded = EncodedClips.Open(clips, cache, loadVae, log, cancellationToken);
            return new PackedBatches(config, encoded, vaeConfig, log, validation is null ? null : EncodedClips.Open(validation, cache, loadVae, log, cancellationToken));
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The seed of what is drawn at each step. A training that goes on from finished weights draws otherwise than the one that they are from: the same noise
    /// on the same clips would be learned by heart.
    /// </summary>
    /// <param name="config">The training.</param>
    internal static ulong SeedOfDraws(FlowTrainingConfig config) => config.StartFolder is { } folder
        ? config.Seed ^ ulong.Parse(ModelFingerprint.OfComponent(Path.Combine(folder, "transformer")), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : config.Seed;

    private static void RequireChannels(FlowTrainingConfig config, AutoencoderKLWanConfig vae)
    {
        int map = config.SemanticMap ? SpriteWorld.SemanticMap.Channels : 0, channels = vae.ZDim + map;
        foreach ((string name, int given) in ((string, int)[])[("in_channels", config.Transformer.InChannels), ("out_channels", config.Transformer.OutChannels)])
        {
            if (given != channels)
            {
                // A model folder's own autoencoder is not what its map was added to.
                string hint = map > 0 && given == vae.ZDim ? " It seems to have the map's already, as that of a model folder has; nearest: the one that was trained, such as models/pocket-vae." : "";
                throw new SoraException($"transformer.{name} is {given}; allowed: {channels}, of which the autoencoder in {config.VaeFolder} has {vae.ZDim}{(map > 0 ? $" and the semantic map {map}" : "")}.{hint}");
            }
        }
    }

    private static World Require(World? world) => world ?? throw new ArgumentNullException(nameof(world), "Training on the drawn world needs one.");
}
