using Sora.Conditioning;
using Sora.Frames;
using Sora.Tests.Text;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// The way of an image into the transformer, in every case that is a whole image-to-video model: pixels of the image
/// encoder, its vectors, and the prediction from the first step's input, alone and with the negative prompt as one batch.
/// </summary>
[Trait("Category", "Parity")]
public class ImageConditioningParityTests
{
    public static TheoryData<string> Folders =>
    [
        .. new[] { TestFiles.Folder("."), FixtureFolder.Root }.SelectMany(Directory.GetDirectories)
            .Where(folder => File.Exists(Path.Combine(folder, "io.safetensors")) && Directory.Exists(Path.Combine(folder, "image_encoder")))
            .Select(Path.GetFullPath).Distinct().Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Folders))]
    public void AnImageReachesThePrediction(string folder)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var reference = new ReferenceCase(folder);
        var model = ModelFolder.Open(folder);
        Assert.Empty(model.UnknownFields);

        var processor = new ClipImageProcessor(model.ImageProcessor!);
        VideoFrame[] images = [.. new[] { "image_u8", "last_image_u8" }.Where(reference.Has).Select((name, i) => Frame(reference.Get(name), i))];
        Tensor pixels = processor.Process(images, CPU);
        reference.Close("clip_pixel_values", pixels, 1e-6);

        using var encoder = new ClipVisionEncoder(model.ImageEncoder!, new CheckpointParameters(model.ImageEncoderPath!, float32, CPU));
        Tensor embeds = encoder.Encode(pixels);
        reference.Close("image_embeds", embeds, reference.Tolerance("image_embeds"));

        using var transformer = new DiffusionTransformer(model.Transformer, new CheckpointParameters(model.TransformerPath, float32, CPU));
        Tensor input = reference.Get("model_input_first_call"), prompt = reference.Get("prompt_embeds"), negative = reference.Get("negative_prompt_embeds");
        float time = reference.Numbers("model_timestep")[0];
        TextContext context = transformer.Prepare(prompt, embeds);
        CloseFirst(reference, "noise_cond", transformer.Forward(input, [time], context));

        // The prompt and the negative prompt as one batch, as guidance runs them: with one image for both, and joined.
        TextContext shared = transformer.Prepare(cat([prompt, negative], 0), embeds);
        TextContext joined = TextContext.Join([context, transformer.Prepare(negative, embeds)]);
        foreach (TextContext batch in (TextContext[])[shared, joined])
        {
            Tensor both = transformer.Forward(cat([input, input], 0), [time, time], batch);
            CloseFirst(reference, "noise_cond", both.narrow(0, 0, 1));
            CloseFirst(reference, "noise_uncond", both.narrow(0, 1, 1));
        }
    }

    private static void CloseFirst(ReferenceCase reference, string name, Tensor actual) =>
        reference.Close(name, reference.Get(name).select(0, 0), actual, reference.Tolerance("noise_cond"));

    private static VideoFrame Frame(Tensor pixels, int index) =>
        new(index, (int)pixels.size(1), (int)pixels.size(0), pixels.bytes.ToArray(), TimeSpan.Zero);
}
