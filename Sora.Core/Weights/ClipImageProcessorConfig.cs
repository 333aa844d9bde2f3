using System.Text.Json;
using Sora.Frames;

namespace Sora.Weights;

/// <summary>
/// How frames become the image encoder's input: <c>preprocessor_config.json</c> of a <c>CLIPImageProcessor</c>, with the
/// names and defaults of transformers.
/// </summary>
/// <exception cref="SoraException">A value lies outside its range; the message names field and range.</exception>
public sealed record ClipImageProcessorConfig : ModelConfig
{
    /// <summary>The class, as the file and <c>model_index.json</c> name it.</summary>
    public const string ClassName = "CLIPImageProcessor";

    /// <summary>The same processor on tensors in Python; its file is the same.</summary>
    public const string FastClassName = "CLIPImageProcessorFast";

    /// <summary>The file's name.</summary>
    public const string FileName = "preprocessor_config.json";

    private const int LargestSide = 1 << 14;
    private const string AllowedSizes = """{"shortest_edge": n} or {"height": n, "width": n}""";

    /// <summary>The shorter side after resizing, in pixels; null where <see cref="Size"/> gives both.</summary>
    /// <value>1 to 16384; 224 for ViT-H/14.</value>
    public int? ShortestEdge { get; init => field = Within(value, 1, LargestSide, "size.shortest_edge"); }

    /// <summary>Both sides after resizing, whatever the proportions; null where <see cref="ShortestEdge"/> keeps them.</summary>
    /// <value>1 to 16384 each.</value>
    public PixelSize? Size { get; init => field = RequireSides(value, "size"); }

    /// <summary>The part from the centre that remains; null for all.</summary>
    /// <value>Up to the size after resizing; 224 by 224 for ViT-H/14.</value>
    public PixelSize? CropSize { get; init => field = RequireSides(value, "crop_size"); }

    /// <summary>What a pixel's value is multiplied by.</summary>
    /// <value>1e-6 to 1; 1/255.</value>
    public double RescaleFactor { get; init => field = Within(value, 1e-6, 1, "rescale_factor"); } = 1 / 255.0;

    /// <summary>What is subtracted from red, green and blue after that.</summary>
    /// <value>−100 to 100 each; by default the means of OpenAI's CLIP.</value>
    public ValueList<double> ImageMean { get; init => field = AllWithin(value, (3, 3), (-100, 100), "image_mean"); }
        = [0.48145466, 0.4578275, 0.40821073];

    /// <summary>What red, green and blue are divided by at the end.</summary>
    /// <value>1e-6 to 100 each; by default the deviations of OpenAI's CLIP.</value>
    public ValueList<double> ImageStd { get; init => field = AllWithin(value, (3, 3), (1e-6, 100), "image_std"); }
        = [0.26862954, 0.26130258, 0.27577711];

    /// <summary>The size of every processed image.</summary>
    public PixelSize OutputSize => CropSize ?? Size ?? throw new SoraException(
        "do_center_crop is false and size has a shortest_edge: images would differ in size; allowed: a crop_size, or a size with height and width.");

    /// <summary>The size, before the crop, of a picture of a size.</summary>
    public (long Height, long Width) ResizedSize(PixelSize picture)
    {
        if (Size is { } size)
            return (size.Height, size.Width);
        long edge = ShortestEdge ?? OutputSize.Height, shorter = Math.Min(picture.Height, picture.Width);
        return (edge * picture.Height / shorter, edge * picture.Width / shorter);
    }

    /// <summary>Reads a <c>preprocessor_config.json</c>.</summary>
    /// <exception cref="SoraException">
    /// The file cannot be read or is not valid; the message names file, field and range.
    /// </exception>
    public static ClipImageProcessorConfig Load(string path) => ConfigFile.Load(path, Read);

    /// <summary>Reads the text of a <c>preprocessor_config.json</c>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="SoraException">The text is not valid; the message names field and range.</exception>
    public static ClipImageProcessorConfig Parse(string json, string source = FileName) => ConfigFile.Parse(json, source, Read);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (ShortestEdge is null == Size is null)
            throw new SoraException($"size has {(Size is null ? "neither shortest_edge nor" : "both shortest_edge and")} height and width; allowed: {AllowedSizes}.");
        PixelSize output = OutputSize;
        int height = Size?.Height ?? ShortestEdge!.Value, width = Size?.Width ?? ShortestEdge!.Value;
        if (output.Height > height || output.Width > width)
            throw new SoraException($"crop_size is {output.Height} by {output.Width}; size allows up to {height} by {width}.");
    }

    private static ClipImageProcessorConfig Read(ConfigFields fields)
    {
        OneOf(fields.Text("image_processor_type", ClassName), "image_processor_type", ClassName, FastClassName);
        foreach (string step in (string[])["do_resize", "do_rescale", "do_normalize"])
            fields.Unsupported(step, "true");
        fields.Unsupported("do_pad", "false");
        fields.Unsupported("resample", "3"); // bicubic
        // Frames are RGB already; the others are matters of Python.
        fields.WithoutEffect("do_convert_rgb", "feature_extractor_type", "processor_class", "data_format", "input_data_format", "default_to_square",
            "device", "disable_grouping", "pad_size", "return_tensors");
        (int? shortestEdge, PixelSize? size) = SizeOf(fields, "size");
        bool crop = fields.Flag("do_center_crop", true);
        (int? cropEdge, PixelSize? cropSize) = SizeOf(fields, "crop_size");
        return new ClipImageProcessorConfig
        {
            ShortestEdge = shortestEdge ?? (size is null ? 224 : null),
            Size = size,
            CropSize = !crop ? null : cropEdge is { } edge ? new(edge, edge) : cropSize ?? new(224, 224),
            RescaleFactor = fields.Number("rescale_factor", 1 / 255.0),
            ImageMean = fields.OptionalNumbers("image_mean") ?? new ClipImageProcessorConfig().ImageMean,
            ImageStd = fields.OptionalNumbers("image_std") ?? new ClipImageProcessorConfig().ImageStd,
            UnknownFields = fields.Unknown(),
        };
    }

    private protected override void Write(SortedDictionary<string, object?> fields)
    {
        if (CropSize is { } crop)
            fields["crop_size"] = Sides(crop);
        fields["do_center_crop"] = CropSize is not null;
        fields["do_convert_rgb"] = true;
        fields["do_normalize"] = true;
        fields["do_rescale"] = true;
        fields["do_resize"] = true;
        fields["image_mean"] = ImageMean;
        fields["image_processor_type"] = ClassName;
        fields["image_std"] = ImageStd;
        fields["resample"] = 3;
        fields["rescale_factor"] = RescaleFactor;
        fields["size"] = Size is { } size ? Sides(size) : new SortedDictionary<string, object?> { ["shortest_edge"] = ShortestEdge };
    }

    private static SortedDictionary<string, object?> Sides(PixelSize size) =>
        new() { ["height"] = size.Height, ["width"] = size.Width };

    /// <summary>A number or an object with one, for one side; an object with both. Older files have the number.</summary>
    private static (int? Edge, PixelSize? Size) SizeOf(ConfigFields fields, string field)
    {
        if (fields.Find(field) is not { } value)
            return (null, null);
        if (value.ValueKind == JsonValueKind.Number)
            return (fields.Integer(field), null);
        if (value.ValueKind == JsonValueKind.Object)
        {
            var sides = new ConfigFields(value);
            int? edge = sides.OptionalInteger("shortest_edge"), height = sides.OptionalInteger("height"), width = sides.OptionalInteger("width");
            if (sides.Unknown().Count == 0 && edge is not null && height is null && width is null)
                return (edge, null);
            if (sides.Unknown().Count == 0 && edge is null && height is { } h && width is { } w)
                return (null, new(h, w));
        }
        throw new SoraException($"{field} is {ConfigFields.Show(value)}; allowed: {AllowedSizes}.");
    }

    private static PixelSize? RequireSides(PixelSize? size, string field) => size is not { } given
        ? null
        : new(Within(given.Height, 1, LargestSide, $"{field}.height"), Within(given.Width, 1, LargestSide, $"{field}.width"));
}
