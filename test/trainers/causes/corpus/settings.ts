import {
  bars,
  CACHING,
  CAUSED,
  DURING,
  ended,
  inWorker,
  LOADING,
  launched,
  launcher,
  PREPARED,
  RESUMING,
  type Row,
  SAVING,
  succeeded,
  TRAINING,
  traceback,
} from '../logs.js';

const PYTHON = '/pod/venv/bin/python';
const loading = { before: PREPARED, frames: LOADING };
const resuming = { before: PREPARED, frames: RESUMING };
const argv = [
  PYTHON,
  'train_network.py',
  '--resume=/pod/outputs/cat/cat-000004-state',
  '--pretrained_model_name_or_path=/pod/models/sd15.safetensors',
  '--max_train_epochs=8',
  '--mixed_precision=fp16',
  '--dataset_config=/pod/outputs/cat/dataset.toml',
  '--lr_scheduler=cosine',
  '--learning_rate=1',
];
const usage = (error: string) =>
  `usage: train_network.py [-h] [--console_log_level {None,DEBUG,INFO,WARNING,ERROR,CRITICAL}]\n                        [--v2] [--v_parameterization]\n                        [--lr_scheduler LR_SCHEDULER] [--mixed_precision {no,fp16,bf16}]\ntrain_network.py: error: ${error}\n${launcher(2)}`;
const log = (level: string, words: string, file = 'train_util.py:2960') =>
  `2026-02-03 10:11:12 ${level.padEnd(8)} ${words} ${file}\n`;

/** Files, pictures, states and settings. */
export const settings: Row[] = [
  {
    name: 'no safetensors file',
    log: launched('safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge', loading),
    argv,
    code: 'wrong_file',
  },
  {
    name: 'no safetensors file, new words',
    log: launched('safetensors_rust.SafetensorError: Error while deserializing header: header too large', loading),
    code: 'wrong_file',
  },
  {
    name: 'no safetensors file, invalid header',
    log: launched(
      'safetensors_rust.SafetensorError: Error while deserializing header: invalid UTF-8 in header: invalid utf-8 sequence of 1 bytes from index 3',
      loading,
    ),
    code: 'wrong_file',
  },
  {
    name: 'safetensors file of a few bytes',
    log: launched('safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooSmall', loading),
    code: ['wrong_file', 'cut_file'],
  },
  {
    name: 'named just before',
    log: `${PREPARED}${log('INFO', 'load StableDiffusion checkpoint: /pod/models/anime.safetensors', 'train_util.py:5218')}${traceback('safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge', LOADING)}${launcher()}`,
    code: 'wrong_file',
    says: /\/pod\/models\/anime\.safetensors/,
  },
  {
    name: 'a pointer of git-lfs',
    log: launched("_pickle.UnpicklingError: invalid load key, 'v'.", loading),
    code: 'wrong_file',
  },
  { name: 'a web page', log: launched("_pickle.UnpicklingError: invalid load key, '<'.", loading), code: 'wrong_file' },
  {
    name: 'weights only',
    log: launched(
      '_pickle.UnpicklingError: Weights only load failed. This file can still be loaded, to do so you have two options, do those steps only if you trust the source of the checkpoint. \n\t(1) In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`.',
      { ...loading },
    ),
    code: ['wrong_file', 'weights_only', 'unsafe_file', null],
    not: /cut/,
  },
  {
    name: 'cut file',
    log: launched(
      'safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer',
      loading,
    ),
    argv,
    code: 'cut_file',
    says: /cut|incomplete|whole/,
  },
  {
    name: 'cut file, new words',
    log: launched(
      'safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered',
      loading,
    ),
    code: 'cut_file',
  },
  {
    name: 'cut file, header',
    log: launched('safetensors_rust.SafetensorError: Error while deserializing header: InvalidHeaderLength', loading),
    code: ['cut_file', 'wrong_file'],
  },
  {
    name: 'cut state: optimizer.bin',
    log: launched(
      'RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory',
      resuming,
    ),
    argv,
    code: 'cut_file',
    says: /state|earlier/,
  },
  {
    name: 'cut state, an old torch',
    log: launched(
      'RuntimeError: [enforce fail at inline_container.cc:209] . file not found: archive/data.pkl',
      resuming,
    ),
    argv,
    code: 'cut_file',
    not: /disk is full/i,
  },
  {
    name: 'cut ckpt',
    log: launched('RuntimeError: unexpected EOF, expected 7302312 more bytes. The file might be corrupted.', loading),
    code: 'cut_file',
  },
  { name: 'cut pickle', log: launched('EOFError: Ran out of input', resuming), argv, code: 'cut_file' },
  {
    name: 'cut model in a diffusers folder',
    log: launched(
      "OSError: Unable to load weights from checkpoint file for '/pod/models/sdxl/unet/diffusion_pytorch_model.safetensors' at '/pod/models/sdxl/unet/diffusion_pytorch_model.safetensors'. ",
      loading,
    ),
    code: ['cut_file', 'wrong_file', null],
    says: /diffusion_pytorch_model\.safetensors/,
  },
  {
    name: 'train_state.json empty',
    log: launched('json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)', resuming),
    argv,
    code: ['cut_file', 'state_broken'],
    says: /state/,
  },
  {
    name: 'model of another family: missing keys',
    log: launched(
      'RuntimeError: Error(s) in loading state_dict for Flux:\n\tMissing key(s) in state_dict: "img_in.weight", "img_in.bias", "time_in.in_layer.weight".\n\tUnexpected key(s) in state_dict: "model.diffusion_model.input_blocks.0.0.bias".',
      loading,
    ),
    code: ['wrong_model', 'wrong_file', 'size_mismatch'],
    not: /state folder/,
  },
  {
    name: 'SDXL given to the SD script',
    log: launched(
      'RuntimeError: Error(s) in loading state_dict for UNet2DConditionModel:\n\tsize mismatch for down_blocks.0.attentions.0.proj_in.weight: copying a param with shape torch.Size([320, 320]) from checkpoint, the shape in current model is torch.Size([320, 320, 1, 1]).',
      loading,
    ),
    code: ['wrong_model', 'size_mismatch'],
    not: /state folder|rank|dim/i,
  },
  {
    name: 'SD given to the SDXL script',
    log: launched(
      "KeyError: 'conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight'",
      loading,
    ),
    code: ['wrong_model', null],
  },
  {
    name: 'CLIP keys of another transformers',
    log: launched(
      'RuntimeError: Error(s) in loading state_dict for CLIPTextModel:\n\tMissing key(s) in state_dict: "text_model.embeddings.position_ids".',
      loading,
    ),
    code: ['package_version', 'wrong_model', null],
  },

  {
    name: 'model missing',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: '/pod/models/ae.safetensors'", loading),
    code: 'file_missing',
    says: /\/pod\/models\/ae\.safetensors/,
  },
  {
    name: 'model missing, safetensors',
    log: launched('FileNotFoundError: No such file or directory: "/pod/models/clip_l.safetensors"', loading),
    code: 'file_missing',
    says: /clip_l\.safetensors/,
  },
  {
    name: 'model missing, safetensors without a name',
    log: `${PREPARED}${log('INFO', 'Loading state dict from /pod/models/clip_l.safetensors', 'flux_utils.py:180')}${traceback('FileNotFoundError: No such file or directory (os error 2)', LOADING)}${launcher()}`,
    code: 'file_missing',
    says: /clip_l\.safetensors/,
  },
  {
    name: 'model missing, assertion',
    log: launched('AssertionError: No checkpoint found in /pod/models/sdxl', loading),
    code: ['file_missing', null],
  },
  {
    name: 'picture vanished',
    log: `${TRAINING}\n${inWorker("FileNotFoundError: [Errno 2] No such file or directory: '/pod/datasets/cat/10_cat/003.png'")}${launcher()}`,
    code: 'file_missing',
    says: /003\.png/,
  },
  {
    name: 'path is a folder',
    log: launched("IsADirectoryError: [Errno 21] Is a directory: '/pod/models/sd15'", loading),
    code: ['file_missing', 'is_a_folder', null],
    says: /\/pod\/models\/sd15/,
  },
  {
    name: 'optimizer.bin missing',
    log: launched(
      "FileNotFoundError: [Errno 2] No such file or directory: '/pod/outputs/cat/cat-000004-state/optimizer.bin'",
      resuming,
    ),
    argv,
    code: ['file_missing', 'state_missing'],
    says: /optimizer\.bin/,
  },
  {
    name: 'no output_dir',
    log: launched('TypeError: expected str, bytes or os.PathLike object, not NoneType', { frames: SAVING }),
    code: ['no_output_dir', null],
  },

  {
    name: 'broken cache',
    log: launched('zipfile.BadZipFile: File is not a zip file', { frames: CACHING }),
    code: 'broken_cache',
    says: /cache/i,
    again: 'repeats',
  },
  {
    name: 'broken cache, CRC',
    log: launched("zipfile.BadZipFile: Bad CRC-32 for file 't5_out.npy'", { frames: CACHING }),
    code: 'broken_cache',
  },
  {
    name: 'broken cache, zlib',
    log: launched('zlib.error: Error -3 while decompressing data: invalid block type'),
    code: 'broken_cache',
  },
  {
    name: 'broken cache, pickled',
    log: launched('ValueError: Cannot load file containing pickled data when allow_pickle=False', {
      frames: [['/pod/sd-scripts/library/strategy_base.py', 470, 'load_latents_from_disk', 'npz = np.load(npz_path)']],
    }),
    code: 'broken_cache',
  },
  {
    name: 'broken cache, empty',
    log: launched('EOFError: No data left in file', {
      frames: [['/pod/sd-scripts/library/strategy_base.py', 470, 'load_latents_from_disk', 'npz = np.load(npz_path)']],
    }),
    code: 'broken_cache',
  },
  {
    name: 'broken cache in a worker',
    log: `${TRAINING}\n${inWorker('zipfile.BadZipFile: File is not a zip file', [['/pod/sd-scripts/library/strategy_base.py', 470, 'load_latents_from_disk', 'npz = np.load(npz_path)']])}${launcher()}`,
    code: 'broken_cache',
  },
  {
    name: 'cache of another version',
    log: launched("KeyError: 'latents_64x64 is not a file in the archive'", {
      frames: [
        ['/pod/sd-scripts/library/strategy_base.py', 470, 'load_latents_from_disk', 'latents = npz["latents" + key]'],
      ],
    }),
    code: 'broken_cache',
  },
  {
    name: 'cache of another size',
    log: launched('AssertionError: latents shape mismatch: /pod/datasets/cat/003.npz'),
    code: ['broken_cache', null],
  },

  {
    name: 'cut picture, named before',
    log: `${TRAINING}\n${log('ERROR', 'Error loading file: /pod/datasets/cat/10_cat/003.jpg')}${traceback('OSError: image file is truncated (54 bytes not processed)')}${launcher()}`,
    code: 'picture_broken',
    says: /003\.jpg/,
  },
  {
    name: 'cut picture, old wording before',
    log: `${TRAINING}\nCould not load image path / 画像を読み込めません: /pod/datasets/cat/10_cat/007.jpg, error: image file is truncated\n${traceback('OSError: image file is truncated (54 bytes not processed)')}${launcher()}`,
    code: 'picture_broken',
    says: /007\.jpg/,
  },
  {
    name: 'cut picture in a worker',
    log: `${TRAINING}\n${inWorker('OSError: image file is truncated (0 bytes not processed)')}${launcher()}`,
    code: 'picture_broken',
  },
  {
    name: 'no picture',
    log: launched("PIL.UnidentifiedImageError: cannot identify image file '/pod/datasets/cat/10_cat/a b.png'"),
    code: 'picture_broken',
    says: /a b\.png/,
  },
  {
    name: 'no picture, in a worker and chained',
    log: `${TRAINING}\n${inWorker("PIL.UnidentifiedImageError: cannot identify image file '/pod/datasets/cat/10_cat/猫.webp'")}${launcher()}`,
    code: 'picture_broken',
    says: /猫\.webp/,
  },
  {
    name: 'broken PNG',
    log: launched("SyntaxError: broken PNG file (chunk b'\\x00\\x00\\x00\\x00')"),
    code: 'picture_broken',
    not: /checkout|syntax/i,
  },
  {
    name: 'broken data stream',
    log: launched('OSError: broken data stream when reading image file'),
    code: 'picture_broken',
  },
  {
    name: 'unrecognized stream',
    log: launched('OSError: unrecognized data stream contents when reading image file'),
    code: 'picture_broken',
  },
  {
    name: 'picture too large',
    log: launched(
      'PIL.Image.DecompressionBombError: Image size (445833922 pixels) exceeds limit of 178956970 pixels, could be decompression bomb DOS attack.',
    ),
    code: ['picture_broken', 'picture_too_large'],
    says: /large|pixels/,
  },
  {
    name: 'PNG with much text',
    log: launched('ValueError: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK'),
    code: ['picture_broken', 'picture_too_large'],
  },
  {
    name: 'cv2 reads nothing',
    log: launched(
      "cv2.error: OpenCV(4.10.0) /io/opencv/modules/imgproc/src/color.cpp:196: error: (-215:Assertion failed) !_src.empty() in function 'cvtColor'",
    ),
    code: ['picture_broken', null],
  },
  {
    name: 'caption no UTF-8, named',
    log: `${PREPARED}${log('ERROR', 'illegal char in file (not UTF-8) / ファイルにUTF-8以外の文字があります: /pod/datasets/cat/10_cat/003.txt')}${traceback("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 3: invalid continuation byte")}${launcher()}`,
    code: 'caption_encoding',
    says: /003\.txt/,
  },
  {
    name: 'caption no UTF-8',
    log: launched("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 3: invalid continuation byte", {
      before: PREPARED,
      frames: [['/pod/sd-scripts/library/train_util.py', 1700, 'read_caption', 'lines = f.readlines()']],
    }),
    code: 'caption_encoding',
  },
  {
    name: 'console cannot print',
    log: launched(
      "UnicodeEncodeError: 'ascii' codec can't encode characters in position 19-22: ordinal not in range(128)",
    ),
    code: ['console_encoding', null],
    not: /caption/i,
  },
  {
    name: 'caption missing',
    log: launched('FileNotFoundError: No caption file found for /pod/datasets/cat/003.png'),
    code: ['file_missing', 'caption_missing', null],
    says: /003\.png/,
  },

  {
    name: 'NaN in latents',
    log: launched('RuntimeError: NaN detected in latents: /pod/datasets/cat/10_cat/003.png', { frames: CACHING }),
    code: 'nan',
    says: /no_half_vae/,
  },
  { name: 'NaN loss', log: launched('ValueError: loss is nan at step 120'), code: ['nan', null] },
  {
    name: 'fp16 gradients',
    log: launched('ValueError: Attempting to unscale FP16 gradients.'),
    argv,
    code: 'fp16_gradients',
    again: 'repeats',
  },
  {
    name: 'dtype clash',
    log: launched('RuntimeError: Input type (float) and bias type (c10::Half) should be the same'),
    code: ['dtype', null],
  },
  {
    name: 'mat1 and mat2',
    log: launched('RuntimeError: mat1 and mat2 shapes cannot be multiplied (154x768 and 2048x640)'),
    code: ['wrong_model', null],
  },

  {
    name: 'no pictures, exit 0',
    log: `${PREPARED}                    ERROR    No data found. Please verify arguments (train_data_dir must be the parent of folders with images) / 画像がありません。引数指定を確認してください train_network.py:576\n`,
    exit: succeeded,
    code: 'no_data',
    again: 'repeats',
  },
  {
    name: 'no pictures, wrapped to 80 columns',
    log: `${PREPARED}                    ERROR    No data found. Please verify   train_network.py:576\n                             arguments (train_data_dir must                     \n                             be the parent of folders with                      \n                             images) /                                          \n                             画像がありません。引数指定を確                     \n                             認してください                     \n`,
    exit: succeeded,
    code: 'no_data',
  },
  {
    name: 'no pictures, an old release',
    log: `prepare tokenizer\nUse DreamBooth method.\nprepare images.\n0 train images with repeating.\nNo data found. Please verify arguments (train_data_dir must be the parent of folders with images) / 画像がありません。引数指定を確認してください\n`,
    exit: succeeded,
    code: 'no_data',
  },
  {
    name: 'no network',
    log: `${TRAINING.slice(0, TRAINING.indexOf('                    INFO     prepare optimizer'))}`,
    exit: succeeded,
    code: 'no_network',
  },
  {
    name: 'went well',
    log: `${TRAINING}${bars(13, 1600)}\n${log('INFO', 'model saved.', 'train_network.py:1729')}`,
    exit: succeeded,
    code: null,
  },

  {
    name: 'other rank',
    log: launched(
      'RuntimeError: Error(s) in loading state_dict for LoRANetwork:\n\tsize mismatch for lora_unet_mid_block.lora_down.weight: copying a param with shape torch.Size([4, 1280, 1, 1]) from checkpoint, the shape in current model is torch.Size([8, 1280, 1, 1]).',
      resuming,
    ),
    argv,
    code: 'size_mismatch',
    again: 'repeats',
  },
  {
    name: 'other modules',
    log: launched(
      'RuntimeError: Error(s) in loading state_dict for LoRANetwork:\n\tMissing key(s) in state_dict: "lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha".',
      resuming,
    ),
    argv,
    code: ['size_mismatch', 'other_network'],
  },
  {
    name: 'other optimizer',
    log: launched(
      "ValueError: loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      resuming,
    ),
    argv,
    code: 'other_optimizer',
    again: 'repeats',
  },
  {
    name: 'other number of groups',
    log: launched('ValueError: loaded state dict has a different number of parameter groups', resuming),
    argv,
    code: 'other_optimizer',
  },
  {
    name: 'optimizer state of another kind',
    log: launched("KeyError: 'exp_avg'", resuming),
    argv,
    code: ['other_optimizer', null],
  },
  {
    name: 'random state without step',
    log: launched("KeyError: 'step'", resuming),
    argv,
    code: ['package_version', null, 'state_broken'],
  },
  {
    name: 'nothing left',
    log: launched(
      'AssertionError: max_train_steps should be greater than initial step / max_train_stepsは初期ステップより大きい必要があります: 24 vs 24',
    ),
    argv,
    code: 'nothing_left',
    again: 'repeats',
  },
  {
    name: 'state missing',
    log: launched('ValueError: Tried to find /pod/outputs/cat/cat-000004-state but folder does not exist', resuming),
    argv,
    code: 'state_missing',
    says: /cat-000004-state/,
  },
  {
    name: 'sample prompts missing in the arguments',
    log: launched('TypeError: stat: path should be string, bytes, os.PathLike or integer, not NoneType', {
      frames: [
        [
          '/pod/sd-scripts/library/train_util.py',
          6395,
          'sample_images_common',
          'if not os.path.isfile(args.sample_prompts):',
        ],
      ],
    }),
    code: ['no_prompts', null],
  },

  {
    name: 'unknown flags',
    log: usage('unrecognized arguments: --bogus_flag=1 --other'),
    code: 'unknown_flags',
    says: /--bogus_flag=1 --other/,
    again: 'repeats',
  },
  {
    name: 'unknown flags, wrapped by the terminal',
    log: usage('unrecognized arguments: --bogus_flag=1'),
    exit: ended(2),
    code: 'unknown_flags',
  },
  {
    name: 'invalid choice',
    log: usage("argument --mixed_precision: invalid choice: 'fp8' (choose from 'no', 'fp16', 'bf16')"),
    code: 'refused_flags',
    says: /--mixed_precision.*fp8/,
  },
  {
    name: 'invalid int',
    log: usage("argument --network_dim: invalid int value: '16.5'"),
    code: 'refused_flags',
    says: /--network_dim/,
  },
  { name: 'missing value', log: usage('argument --seed: expected one argument'), code: 'refused_flags' },
  {
    name: 'required arguments',
    log: usage('the following arguments are required: --dit, --vae'),
    code: 'refused_flags',
    says: /--dit, --vae/,
  },
  {
    name: 'ambiguous flag',
    log: usage('ambiguous option: --lr could match --lr_scheduler, --lr_warmup_steps'),
    code: ['refused_flags', 'unknown_flags'],
    says: /--lr/,
  },
  {
    name: 'accelerate refuses its own flags',
    log: `usage: accelerate <command> [<args>] launch [-h] [--config_file CONFIG_FILE]\naccelerate <command> [<args>] launch: error: unrecognized arguments: --num_gpus\n`,
    exit: ended(2),
    code: ['unknown_flags', 'refused_flags'],
    says: /--num_gpus/,
  },
  {
    name: 'accelerate needs a script',
    log: `usage: accelerate <command> [<args>] launch [-h]\naccelerate <command> [<args>] launch: error: the following arguments are required: training_script, training_script_args\n`,
    exit: ended(2),
    code: 'refused_flags',
  },
  {
    name: 'dataset config: extra key',
    log: launched("voluptuous.error.MultipleInvalid: extra keys not allowed @ data['general']['bogus_key']", {
      before: PREPARED,
    }),
    argv,
    code: 'dataset_config',
    says: /bogus_key/,
  },
  {
    name: 'dataset config: wrong type',
    log: launched(
      "voluptuous.error.MultipleInvalid: expected int for dictionary value @ data['datasets'][0]['batch_size']",
      { before: PREPARED },
    ),
    argv,
    code: 'dataset_config',
    says: /batch_size/,
  },
  {
    name: 'dataset config: an error of sd-scripts before',
    log: `${PREPARED}${log('ERROR', 'Invalid user config / ユーザ設定の形式が正しくないようです', 'config_util.py:374')}${traceback("voluptuous.error.MultipleInvalid: required key not provided @ data['datasets'][0]['subsets'][0]['image_dir']")}${launcher()}`,
    code: 'dataset_config',
    says: /image_dir/,
  },
  {
    name: 'dataset TOML broken',
    log: `${PREPARED}${log('ERROR', 'Error on parsing TOML config file. Please check the format. / TOML 形式の設定ファイルの読み込みに失敗しました。文法が正しいか確認してください。: /pod/outputs/cat/dataset.toml', 'config_util.py:690')}${traceback('toml.decoder.TomlDecodeError: Unbalanced quotes (line 3 column 20 char 60)')}${launcher()}`,
    argv,
    code: ['config_broken', 'dataset_config'],
    says: /line 3/,
  },
  {
    name: 'dataset TOML broken, tomllib',
    log: launched("tomllib.TOMLDecodeError: Expected '=' after a key in a key/value pair (at line 4, column 9)", {
      before: PREPARED,
    }),
    code: ['config_broken'],
    says: /line 4/,
  },
  {
    name: 'YAML broken',
    log: launched(
      'yaml.scanner.ScannerError: mapping values are not allowed here\n  in "/pod/config.yaml", line 4, column 12',
      { before: '' },
    ),
    code: ['config_broken', null],
    says: /line 4|config\.yaml|mapping/,
  },
  {
    name: 'config not found',
    log: `${log('INFO', 'Loading settings from cat.toml...', 'train_util.py:4744')}${log('INFO', 'cat.toml not found.', 'train_util.py:4746')}${launcher()}`,
    code: 'config_missing',
    says: /cat\.toml/,
    again: 'repeats',
  },
  {
    name: 'config not found, old words',
    log: `Loading settings from /pod/cat.toml...\n/pod/cat.toml not found.\n${launcher()}`,
    code: 'config_missing',
    says: /\/pod\/cat\.toml/,
  },
  {
    name: 'JSON config broken',
    log: launched("json.decoder.JSONDecodeError: Expecting ',' delimiter: line 12 column 5 (char 301)", {
      before: '',
      frames: [['/pod/trainer/train.py', 30, 'main', 'config = json.load(f)']],
    }),
    code: ['config_broken', null],
    says: /line 12/,
  },
  {
    name: 'cache outputs against shuffle',
    log: launched(
      'AssertionError: when caching Text Encoder output, either caption_dropout_rate, shuffle_caption, token_warmup_step or caption_tag_dropout_rate cannot be used / Text Encoderの出力をキャッシュするときはcaption_dropout_rate, shuffle_caption, token_warmup_step, caption_tag_dropout_rateは使えません',
      { before: PREPARED },
    ),
    code: ['settings_conflict', null],
    says: /shuffle_caption/,
  },
  {
    name: 'cache outputs needs unet only',
    log: launched(
      'AssertionError: network for Text Encoder cannot be trained with caching Text Encoder outputs / Text Encoderの出力をキャッシュしながらText Encoderのネットワークを学習することはできません',
    ),
    code: ['settings_conflict', null],
    says: /Text Encoder/,
  },
  {
    name: 'resolution steps',
    log: launched('AssertionError: bucket_reso_steps must be divisible by 32'),
    code: ['settings_conflict', null],
    says: /bucket_reso_steps/,
  },
  {
    name: 'tensorboard without a folder',
    log: launched(
      'ValueError: logging_dir is required when log_with is tensorboard / Tensorboardを使う場合、logging_dirを指定してください',
    ),
    code: ['settings_conflict', null],
    says: /logging_dir/,
  },
  {
    name: 'optimizer of an unknown name',
    log: launched("AttributeError: module 'torch.optim' has no attribute 'AdamWW'", {
      frames: [
        [
          '/pod/sd-scripts/library/train_util.py',
          4700,
          'get_optimizer',
          'optimizer_class = getattr(optimizer_module, optimizer_type)',
        ],
      ],
    }),
    code: ['unknown_optimizer', null],
    says: /AdamWW/,
    not: /pip install/,
  },
  {
    name: 'scheduler of an unknown name',
    log: launched("ValueError: 'cosin' is not a valid SchedulerType"),
    code: ['unknown_scheduler', null],
    says: /cosin/,
  },
  {
    name: 'optimizer arguments',
    log: launched("TypeError: AdamW.__init__() got an unexpected keyword argument 'relative_step'"),
    code: ['optimizer_args', null],
    says: /relative_step/,
    not: /pip|version/,
  },
  {
    name: 'optimizer argument without =',
    log: launched('ValueError: not enough values to unpack (expected 2, got 1)', {
      frames: [['/pod/sd-scripts/library/train_util.py', 4690, 'get_optimizer', 'key, value = arg.split("=")']],
    }),
    code: ['optimizer_args', null],
  },
  {
    name: 'a chain: the caption file, then a vaguer one',
    log: `${PREPARED}${traceback("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", [['/pod/sd-scripts/library/train_util.py', 1700, 'read_caption', 'lines = f.readlines()']])}${DURING}${traceback('RuntimeError: could not read captions')}${launcher()}`,
    code: 'caption_encoding',
  },
  {
    name: 'a chain: cut file, then a vaguer one',
    log: `${PREPARED}${traceback('safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer', LOADING)}${CAUSED}${traceback('RuntimeError: could not load the model', LOADING)}${launcher()}`,
    code: 'cut_file',
  },
];
