using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Weights;

namespace Sora.Transformer;

/// <summary>
/// The denoiser: predicts the velocity v = noise − data of spacetime latent patches at any size, from their noise levels
/// and a text, in image-to-video networks an image too (the network published as WanTransformer3DModel).
/// </summary>
public sealed class DiffusionTransformer : IDisposable
{
    private readonly ParameterSource _parameters;
    private readonly Linear _patchEmbedding;
    private readonly TextureEmbedding? _textureEmbedding;
    private readonly TimeEmbedding _timeEmbedding;
    private readonly TextProjection _textProjection;
    private readonly ImageProjection? _imageProjection;
    private readonly LayerSequence<TransformerBlock> _blocks;
    private readonly OutputHead _head;

    /// <summary>Builds the network from its config; the source gives the parameters and is disposed with the network.</summary>
    public DiffusionTransformer(WanTransformerConfig config, ParameterSource parameters)
    {
        Config = config;
        _parameters = parameters;
        var scope = new ParameterScope(parameters);
        long width = config.NumAttentionHeads * config.AttentionHeadDim;
        _patchEmbedding = Linear.OverPatches(scope["patch_embedding"], width, config.InChannels, config.PatchSize);
        if (config.MapHarmonics is not null)
            _textureEmbedding = new(scope["texture_embedding"], config);
        _timeEmbedding = new(scope["condition_embedder"], config.FreqDim, width);
        _textProjection = new(scope["condition_embedder.text_embedder"], config.TextDim, width);
        if (config.ImageDim is { } imageWidth)
            _imageProjection = new(scope["condition_embedder.image_embedder"], imageWidth, width, config.PosEmbedSeqLen);
        _blocks = scope["blocks"].Layers(config.NumLayers, block => new TransformerBlock(block, config));
        _head = new(scope, config);
    }

    /// <summary>The network's dimensions.</summary>
    public WanTransformerConfig Config { get; }

    /// <summary>
    /// Set while training, keeps what enters each block and nothing inside; the trainer calls its Backward after that of
    /// the loss. Null keeps everything.
    /// </summary>
    internal ActivationCheckpoints? Checkpoints { get; set; }

    /// <summary>
    /// Told, in a backward pass, the number of a block when the gradients of what <see cref="IsBehind"/> it are whole; null
    /// tells nobody. The last block comes first.
    /// </summary>
    internal Action<int>? BlockDone { get; set; }

    /// <summary>The parameters by their published names; those of blocks only where the blocks stay in memory.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters.Parameters;

    /// <summary>Whether a parameter is of a block, and not one that <see cref="Prepare"/> uses, whose gradients are whole at the end.</summary>
    internal static bool IsBehind(int block, string parameter) =>
        parameter.StartsWith($"blocks.{block}.", StringComparison.Ordinal) && !CrossAttention.IsOfText(parameter);

    /// <summary>
    /// What the network needs of a text and an image, computed once a video: each block's keys and values of them.
    /// </summary>
    /// <param name="text">
    /// The text encoder's vectors [B, L, text_dim]. The published networks with image_dim were trained with L = 512.
    /// </param>
    /// <param name="imageEmbeds">
    /// The image encoder's vectors; given exactly when the config has an image_dim. One image for each text,
    /// [B, M, image_dim], or one for all, [1, M, image_dim]. Networks with pos_embed_seq_len take a first and a last image
    /// for each, one after the other: [2·B, M, image_dim] or [2, M, image_dim], with 2·M = pos_embed_seq_len.
    /// </param>
    /// <exception cref="ArgumentException">A shape is another, or the image is missing or not wanted.</exception>
    public TextContext Prepare(Tensor text, Tensor? imageEmbeds = null)
    {
        Shape.Require(text, $"B L {Config.TextDim}");
        Tensor? image = ProjectImage(imageEmbeds, text.size(0));                         // B M D
        Tensor projected = _textProjection.Forward(text);                                // B L D
        return new([.. Enumerable.Range(0, _blocks.Count).Select(i => _blocks[i].Keys(projected, image))]);
    }

    /// <summary>
    /// Predicts the velocity of packed patches.
    /// </summary>
    /// <param name="patches">The patches [N, C·pt·ph·pw] of all clips, one after the other.</param>
    /// <param name="times">Each token's noise level, 0 to 1000.</param>
    /// <param name="text">The texts, one for each clip, with their images where the network reads them.</param>
    /// <param name="sequence">The clips' layout and positions.</param>
    /// <param name="cache">Skips blocks that change little from step to step; null: all are computed.</param>
    /// <returns>Patches [N, pt·ph·pw·C] of velocity, float32.</returns>
    public Tensor Forward(Tensor patches, TokenTimes times, TextContext text, PackedSequence sequence, StepCache? cache = null)
    {
        Tensor x = _patchEmbedding.Forward(patches).to(float32);                         // N D
        if (_textureEmbedding is { } textures)
            x = textures.AddTo(x, patches, times);
        (Tensor embedding, Tensor time) = _timeEmbedding.Forward(times.Times, x.device); // rows D, rows 6·D
        Modulation modulation = sequence.Modulation(times);
        if (Checkpoints is { } checkpoints && is_grad_enabled())
        {
            embedding = checkpoints.Border(embedding);
            x = Through(checkpoints, x, checkpoints.Border(time), modulation, text, sequence);                        // N D
            return _head.Forward(x, embedding, modulation);                              // N P
        }
        Tensor Block(Tensor h, int i) => InScope.Replace(Marked(h, i), y => _blocks[i].Forward(y, time, modulation, text.Blocks[i], sequence.Layout, sequence.Positions));
        x = cache is not null ? cache.Run(x, _blocks.Count, sequence.Layout, Block) : Enumerable.Range(0, _blocks.Count).Aggregate(x, Block); // N D
        return _head.Forward(x, embedding, modulation);                                  // N P
    }

    /// <summary>Predicts the velocity of a batch of clips of one size, a time for each clip.</summary>
    /// <param name="latents">[B, C, t, h, w].</param>
    /// <param name="times">B times, or B·N times, one for each token; 0 to 1000.</param>
    /// <param name="text">The texts, one for each clip.</param>
    /// <returns>The velocity [B, C_out, t, h, w], float32.</returns>
    public Tensor Forward(Tensor latents, ReadOnlySpan<float> times, TextContext text)
    {
        Shape.Require(latents, $"B {Config.InChannels} t h w");
        PatchGrid grid = Patchify.GridOf(latents, Config.PatchSize);
        using var sequence = new PackedSequence(Enumerable.Repeat(grid, (int)latents.size(0)), Config.AttentionHeadDim, latents.device);
        TokenTimes tokens = times.Length == latents.size(0) ? TokenTimes.PerClip(sequence.Layout, times) : TokenTimes.PerToken(times);
        Tensor velocity = Forward(Patchify.Cut(latents, Config.PatchSize), tokens, text, sequence);
        return Patchify.Join(velocity, latents.size(0), grid, Config.PatchSize, Config.OutChannels);
    }

    /// <summary>Frees the parameters.</summary>
    public void Dispose() => _parameters.Dispose();

    private Tensor Through(ActivationCheckpoints checkpoints, Tensor x, Tensor time, Modulation modulation, TextContext text, PackedSequence sequence)
    {
        // The caller may dispose the sequence before the backward pass.
        RotaryPositions positions = sequence.Positions.Share();
        return checkpoints.Through(x, [.. Enumerable.Range(0, _blocks.Count).Select(i => Block(i, Border(text.Blocks[i])))]);

        Func<Tensor, Tensor> Block(int i, TextKeys keys) => h => _blocks[i].Forward(Marked(h, i), time, modulation, keys, sequence.Layout, positions);

        TextKeys Border(TextKeys keys) => new(checkpoints.Border(keys.Keys), checkpoints.Border(keys.Values),
            keys.Image is not { } image ? null : new(checkpoints.Border(image.Keys), checkpoints.Border(image.Values)));
    }

    private Tensor Marked(Tensor x, int block) =>
        BlockDone is { } done && is_grad_enabled() ? BackwardMark.Place(x, () => done(block)) : x;

    private Tensor? ProjectImage(Tensor? imageEmbeds, long texts)
    {
        if (_imageProjection is null != imageEmbeds is null)
        {
            throw new ArgumentException(imageEmbeds is null
                ? $"This network reads an image beside the text (image_dim {Config.ImageDim}); imageEmbeds is null."
                : "This network reads no image (image_dim is null); imageEmbeds must be null.", nameof(imageEmbeds));
        }
        if (_imageProjection is null || imageEmbeds is null)
            return null;
        Tensor image = _imageProjection.Forward(imageEmbeds);                            // B M D
        return image.size(0) == texts || image.size(0) == 1
            ? image
            : throw new ArgumentException($"imageEmbeds has shape [{string.Join(", ", imageEmbeds.shape)}], the images of {image.size(0)} videos; "
                + $"allowed: of {texts}, one for each text, or of 1.", nameof(imageEmbeds));
    }
}
