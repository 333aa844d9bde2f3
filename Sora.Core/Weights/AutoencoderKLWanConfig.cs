namespace Sora.Weights;

/// <summary>
/// The shape of the causal video VAE: <c>config.json</c> of an <c>AutoencoderKLWan</c>. Names and defaults are those of
/// diffusers: the files of Wan 2.1 leave out what Wan 2.2 added.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record AutoencoderKLWanConfig : ModelConfig
{
    /// <summary>The value of <c>_class_name</c>.</summary>
    public const string ClassName = "AutoencoderKLWan";

    private const int LargestWidth = 1 << 16;
    private const int Rgb = 3;

    /// <summary>Channels of the encoder's first level.</summary>
    /// <value>1 to 65536.</value>
    public int BaseDim { get; init => field = Within(value, 1, LargestWidth, "base_dim"); } = 96;

    /// <summary>Channels of the decoder's last level; null where it is <see cref="BaseDim"/>.</summary>
    /// <value>1 to 65536, or null.</value>
    public int? DecoderBaseDim { get; init => field = Within(value, 1, LargestWidth, "decoder_base_dim"); }

    /// <summary>C, the channels of the latent.</summary>
    /// <value>1 to 65536; 16 in Wan 2.1, 48 in Wan 2.2 5B.</value>
    public int ZDim { get; init => field = Within(value, 1, LargestWidth, "z_dim"); } = 16;

    /// <summary>
    /// The width of each level in units of the base; every level but the last halves height and width.
    /// </summary>
    /// <value>1 to 8 numbers from 1 to 64.</value>
    public ValueList<int> DimMult { get; init => field = AllWithin(value, (1, 8), (1, 64), "dim_mult"); } = [1, 2, 4, 4];

    /// <summary>Residual blocks a level in the encoder; the decoder has one more.</summary>
    /// <value>1 to 64.</value>
    public int NumResBlocks { get; init => field = Within(value, 1, 64, "num_res_blocks"); } = 2;

    /// <summary>Which of the encoder's halvings also halve time, from the first; the decoder mirrors it.</summary>
    /// <value>One flag less than <see cref="DimMult"/> has levels.</value>
    public ValueList<bool> TemperalDownsample { get; init; } = [false, true, true];

    /// <summary>Share of activations dropped in training.</summary>
    /// <value>0 to 0.99.</value>
    public double Dropout { get; init => field = Within(value, 0, 0.99, "dropout"); }

    /// <summary>Mean of each latent channel over the training data; by default Wan 2.1's.</summary>
    /// <value>
    /// <see cref="ZDim"/> numbers. A file without them has those of the published VAE with as many channels.
    /// </value>
    public ValueList<double> LatentsMean
    {
        get;
        init => field = AllWithin(value, (1, LargestWidth), (-1e4, 1e4), "latents_mean");
    } = WanLatentStatistics.Mean16;

    /// <summary>Standard deviation of each latent channel over the training data; by default Wan 2.1's.</summary>
    /// <value><see cref="ZDim"/> numbers from 1e-6 to 1e6. Absent from a file: as <see cref="LatentsMean"/>.</value>
    public ValueList<double> LatentsStd
    {
        get;
        init => field = AllWithin(value, (1, LargestWidth), (1e-6, 1e6), "latents_std");
    } = WanLatentStatistics.Deviation16;

    /// <summary>Wan 2.2's blocks, with shortcuts around the resampling.</summary>
    public bool IsResidual { get; init; }

    /// <summary>Channels of the encoder's input: 3 colours for each pixel of a patch.</summary>
    /// <value>3 times <see cref="PatchSize"/> squared.</value>
    public int InChannels { get; init => field = Within(value, 1, LargestWidth, "in_channels"); } = Rgb;

    /// <summary>Channels of the decoder's output, as <see cref="InChannels"/>.</summary>
    public int OutChannels { get; init => field = Within(value, 1, LargestWidth, "out_channels"); } = Rgb;

    /// <summary>Rows and columns of pixels that become channels before the encoder; null means 1.</summary>
    /// <value>1 to 16, or null; 2 in Wan 2.2 5B.</value>
    public int? PatchSize { get; init => field = Within(value, 1, 16, "patch_size"); }

    /// <summary>
    /// How many channels of the latent are a linear code of what the networks lose: <c>linear_code.*</c>, which diffusers does not know.
    /// </summary>
    /// <value>0 to 65536, fewer than <see cref="ZDim"/>. Default 0: none.</value>
    public int LinearCodeChannels { get; init => field = Within(value, 0, LargestWidth, "linear_code_channels"); }

    /// <summary>The channel at which the linear code begins.</summary>
    /// <value>From 1, where there is one.</value>
    public int LinearCodeFirst { get; init => field = Within(value, 0, LargestWidth, "linear_code_first"); }

    /// <summary>The channels that the networks give and read: all but those of the linear code.</summary>
    public int OwnChannels => ZDim - LinearCodeChannels;

    /// <summary>Whether a channel of the latent is of the linear code.</summary>
    internal bool IsOfLinearCode(int channel) => channel >= LinearCodeFirst && channel < LinearCodeFirst + LinearCodeChannels;

    /// <summary>Pixels a latent row or column: 2 for each level but the last, times the patch.</summary>
    public int SpatialStride => (1 << (DimMult.Count - 1)) * (PatchSize ?? 1);

    /// <summary>Frames a latent frame, after the first, which stands for itself.</summary>
    public int TemporalStride => 1 << TemperalDownsample.Count(halves => halves);

    /// <summary>Channels of the decoder's last level.</summary>
    public int DecoderWidth => DecoderBaseDim ?? BaseDim;

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static AutoencoderKLWanConfig Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>Reads the text of a <c>config.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static AutoencoderKLWanConfig Parse(string json, string source = "config.json") =>
        ConfigFile.Parse(json, source, Read);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (TemperalDownsample.Count != DimMult.Count - 1)
            throw new SoraException(
                $"temperal_downsample has {TemperalDownsample.Count} values; dim_mult has {DimMult.Count}, "
                + $"which allows {DimMult.Count - 1}.");
        RequireChannels(LatentsMean.Count, "latents_mean");
        RequireChannels(LatentsStd.Count, "latents_std");
        RequirePixels(InChannels, "in_channels");
        RequirePixels(OutChannels, "out_channels");
        if (LinearCodeChannels > 0 && (LinearCodeFirst < 1 || LinearCodeFirst + LinearCodeChannels > ZDim))
            throw new SoraException($"linear_code_first is {LinearCodeFirst} and linear_code_channels {LinearCodeChannels}; allowed: from 1, and to z_dim, {ZDim}, at most together.");
    }

    private static AutoencoderKLWanConfig Read(ConfigFields fields)
    {
        OneOf(fields.Text("_class_name"), "_class_name", ClassName);
        fields.Unsupported("attn_scales", "[]"); // Attention inside the levels: no published model has it.
        fields.WithoutEffect("clip_output");
        int channels = fields.Integer("z_dim", 16);
        var config = new AutoencoderKLWanConfig
        {
            BaseDim = fields.Integer("base_dim", 96),
            DecoderBaseDim = fields.OptionalInteger("decoder_base_dim"),
            ZDim = channels,
            DimMult = fields.Integers("dim_mult", [1, 2, 4, 4]),
            NumResBlocks = fields.Integer("num_res_blocks", 2),
            TemperalDownsample = fields.Flags("temperal_downsample", [false, true, true]),
            Dropout = fields.Number("dropout", 0),
            LatentsMean = fields.OptionalNumbers("latents_mean")
                ?? WanLatentStatistics.Mean(channels) ?? throw NoStatistics("latents_mean", channels),
            LatentsStd = fields.OptionalNumbers("latents_std")
                ?? WanLatentStatistics.Deviation(channels) ?? throw NoStatistics("latents_std", channels),
            IsResidual = fields.Flag("is_residual", false),
            InChannels = fields.Integer("in_channels", Rgb),
            OutChannels = fields.Integer("out_channels", Rgb),
            PatchSize = fields.OptionalInteger("patch_size"),
            LinearCodeChannels = fields.Integer("linear_code_channels", 0),
            LinearCodeFirst = fields.Integer("linear_code_first", 0),
        };
        config.Validate(); // Strides have a meaning only then.
        RequireStride(fields.OptionalInteger("scale_factor_spatial"), config.SpatialStride, "scale_factor_spatial");
        RequireStride(fields.OptionalInteger("scale_factor_temporal"), config.TemporalStride, "scale_factor_temporal");
        return config with { UnknownFields = fields.Unknown() };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        fields["_class_name"] = ClassName;
        fields["_diffusers_version"] = ModelIndex.DiffusersVersion;
        fields["attn_scales"] = ValueList.Create<double>([]);
        fields["base_dim"] = BaseDim;
        fields["decoder_base_dim"] = DecoderBaseDim;
        fields["dim_mult"] = DimMult;
        fields["dropout"] = Dropout;
        fields["in_channels"] = InChannels;
        fields["is_residual"] = IsResidual;
        fields["latents_mean"] = LatentsMean;
        fields["latents_std"] = LatentsStd;
        if (LinearCodeChannels > 0)
        {
            fields["linear_code_channels"] = LinearCodeChannels;
            fields["linear_code_first"] = LinearCodeFirst;
        }
        fields["num_res_blocks"] = NumResBlocks;
        fields["out_channels"] = OutChannels;
        fields["patch_size"] = PatchSize;
        fields["scale_factor_spatial"] = SpatialStride;
        fields["scale_factor_temporal"] = TemporalStride;
        fields["temperal_downsample"] = TemperalDownsample;
        fields["z_dim"] = ZDim;
    }

    private static void RequireStride(int? given, int stride, string field)
    {
        if (given is { } factor && factor != stride)
            throw new SoraException(
                $"{field} is {factor}; dim_mult, patch_size and temperal_downsample give {stride}.");
    }

    private void RequireChannels(int count, string field)
    {
        if (count != ZDim)
            throw new SoraException($"{field} has {count} values; z_dim allows {ZDim}.");
    }

    private void RequirePixels(int channels, string field)
    {
        int patch = PatchSize ?? 1;
        if (channels != Rgb * patch * patch)
            throw new SoraException(
                $"{field} is {channels}; patch_size {patch} allows {Rgb * patch * patch}, 3 colours a pixel.");
    }

    private static SoraException NoStatistics(string field, int channels) =>
        new($"{field} is missing and z_dim is {channels}; only the published models, z_dim 16 and 48, have a default.");
}
